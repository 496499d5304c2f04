(******************************************************************************)
(* C15, human imitator: cases t of probability p t, each answered by every    *)
(* human h with ans t h. Squared loss sees only the mean answer of the case.  *)
(*                                                                            *)
(*      mean t == the mean of ans t h over the humans                         *)
(*  risk p f == sum_t p_t (1/|H|) sum_h (f_t - ans t h)^2                     *)
(*  mix e p0 p1 == (1 - e) p0 + e p1                                          *)
(*      C15_mean == no policy has a lower risk than the mean answer           *)
(*    C15_excess == risk f - risk g                                           *)
(*                  = sum_t p_t (f_t - g_t) (f_t + g_t - 2 mean_t)            *)
(*      C15_wins == so g beats f exactly if that sum is positive              *)
(*    C15_mixing == if f and g agree where p0 is not 0, their risks differ    *)
(*                  under mix e p0 p1 by e times what they do under p1        *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Imitator.

Variables (R : realFieldType) (T H : finType) (ans : T -> H -> R).
Hypothesis somebody : (0 < #|H|)%N.
Implicit Types (p f g : T -> R).

Definition mean t : R := #|H|%:R^-1 * \sum_h ans t h.

Definition risk p f : R :=
  \sum_t p t * (#|H|%:R^-1 * \sum_h (f t - ans t h) ^+ 2).

Definition mix e p0 p1 t : R := (1 - e) * p0 t + e * p1 t.

Let H_neq0 : #|H|%:R != 0 :> R.
Proof. by rewrite pnatr_eq0 -lt0n. Qed.

Theorem C15_excess p f g : risk p f - risk p g
  = \sum_t p t * ((f t - g t) * (f t + g t - mean t *+ 2)).
Proof.
rewrite /risk -sumrB; apply: eq_bigr => t _; rewrite -!mulrBr -sumrB.
congr (_ * _); transitivity (#|H|%:R^-1 * (\sum_(h : H)
    (f t - g t) * (f t + g t) - (f t - g t) *+ 2 * \sum_h ans t h)).
  congr (_ * _); rewrite mulr_sumr -sumrB; apply: eq_bigr => h _.
  by move: (f t) (g t) (ans t h) => x y a; ring.
have -> u : \sum_(h : H) u = #|H|%:R * u by rewrite sumr_const mulr_natl.
rewrite /mean; move: (\sum_h _) => s; move: (f t) (g t) => x y.
by field.
Qed.

Theorem C15_wins p f g : (risk p g < risk p f)
  = (0 < \sum_t p t * ((f t - g t) * (f t + g t - mean t *+ 2))).
Proof. by rewrite -C15_excess subr_gt0. Qed.

Theorem C15_mean p f : (forall t, 0 <= p t) -> risk p mean <= risk p f.
Proof.
move=> p_ge0; rewrite -subr_ge0 C15_excess sumr_ge0 // => t _.
rewrite mulr_ge0 ?p_ge0 //; set x := f t; set y := mean t.
have -> : (x - y) * (x + y - y *+ 2) = (x - y) ^+ 2 by ring.
exact: sqr_ge0.
Qed.

Theorem C15_mixing e p0 p1 f g : (forall t, p0 t != 0 -> f t = g t) ->
  risk (mix e p0 p1) f - risk (mix e p0 p1) g
  = e * (risk p1 f - risk p1 g).
Proof.
move=> agree; rewrite !C15_excess mulr_sumr; apply: eq_bigr => t _.
rewrite /mix; have [->|/agree ->] := eqVneq (p0 t) 0.
  by rewrite mulr0 add0r -mulrA.
by rewrite subrr mul0r !mulr0.
Qed.

End Imitator.
