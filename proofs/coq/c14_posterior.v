(******************************************************************************)
(* C14, posterior: on a finite class with uniform prior and a weight that     *)
(* decreases with the loss, a set D of models that all lose at least tau more *)
(* than the best has posterior at most                                        *)
(*   (|D| / |argmin L|) * weight(Lmin + tau) / weight(Lmin).                  *)
(* For weight(t) = exp(-beta t) the last quotient is exp(-beta tau).          *)
(*                                                                            *)
(* posterior L g D == the mass of D under the normalised weights g (L t)      *)
(*       best L Lmin == the models of loss Lmin, the least of the class       *)
(*   C14_posterior == the claim, for a positive nonincreasing weight          *)
(* C14_multiplicative == the same where g (s + t) = g s * g t                 *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Posterior.

Variables (R : realFieldType) (T : finType) (L : T -> R) (g : R -> R).

Definition posterior (D : {set T}) : R :=
  (\sum_(t in D) g (L t)) / (\sum_t g (L t)).

Definition best (Lmin : R) : {set T} := [set t | L t == Lmin].

Hypothesis g_gt0 : forall t, 0 < g t.
Hypothesis g_decr : forall s t, s <= t -> g t <= g s.

Theorem C14_posterior (D : {set T}) (Lmin tau : R) : best Lmin != set0 ->
  (forall t, t \in D -> Lmin + tau <= L t) ->
  posterior D <= (#|D|%:R / #|best Lmin|%:R) * (g (Lmin + tau) / g Lmin).
Proof.
rewrite -card_gt0 => best_gt0 D_worse.
have best_le : #|best Lmin|%:R * g Lmin <= \sum_t g (L t).
  rewrite (bigID (mem (best Lmin))) /= -[X in X <= _]addr0 ler_add //.
    rewrite mulr_natl -sumr_const; apply: ler_sum => t.
    by rewrite inE => /eqP ->.
  by apply: sumr_ge0 => t _; apply: ltW.
have D_le : \sum_(t in D) g (L t) <= #|D|%:R * g (Lmin + tau).
  rewrite mulr_natl -sumr_const; apply: ler_sum => t tD.
  exact/g_decr/D_worse.
have min_gt0 : 0 < #|best Lmin|%:R * g Lmin by rewrite mulr_gt0 ?ltr0n.
have D_ge0 : 0 <= \sum_(t in D) g (L t) by apply: sumr_ge0 => t _; apply: ltW.
rewrite /posterior mulf_div.
apply: ler_pmul => //; first by rewrite invr_ge0 (le_trans (ltW min_gt0)).
by rewrite lef_pinv ?posrE // (lt_le_trans min_gt0).
Qed.

Theorem C14_multiplicative (D : {set T}) (Lmin tau : R) :
  (forall s t, g (s + t) = g s * g t) -> best Lmin != set0 ->
  (forall t, t \in D -> Lmin + tau <= L t) ->
  posterior D <= (#|D|%:R / #|best Lmin|%:R) * g tau.
Proof.
move=> gD best_neq0 D_worse.
apply: le_trans (C14_posterior best_neq0 D_worse) _.
by rewrite gD [g Lmin * _]mulrC mulfK // gt_eqF.
Qed.

End Posterior.
