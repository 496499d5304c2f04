(******************************************************************************)
(* C14, posterior: on a finite class with uniform prior and a weight that     *)
(* decreases with the loss, a set D of models that all lose at least tau more *)
(* than the best has posterior at most                                        *)
(*   (|D| / |argmin L|) * weight(Lmin + tau) / weight(Lmin).                  *)
(* For weight(t) = exp(-beta t) the last quotient is exp(-beta tau). The      *)
(* exponential is any function e with e (x + y) = e x * e y and 1 + x <= e x: *)
(* the real one is such a function: coq_classical/real_exponential.v.         *)
(*                                                                            *)
(* posterior L g D == the mass of D under the normalised weights g (L t)      *)
(*       best L Lmin == the models of loss Lmin, the least of the class       *)
(*   C14_posterior == the claim, for a positive nonincreasing weight          *)
(* C14_multiplicative == the same where g (s + t) = g s * g t                 *)
(* boltzmann e beta == the weight t |-> e (- (beta * t))                      *)
(* C14_exponential == the claim for that weight, beta >= 0                    *)
(*      C14_below == if moreover |D| / (delta |argmin L|) < e (beta tau), the *)
(*                   mass of D is below delta                                 *)
(*       C14_beta == every beta >= |D| / (delta |argmin L| tau) will do       *)
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

(* The best are no more than models of a loss that is known: so for any A.    *)
Lemma posterior_near (A D : {set T}) (l tau : R) : A != set0 ->
  (forall t, t \in A -> L t <= l) -> (forall t, t \in D -> l + tau <= L t) ->
  posterior D <= (#|D|%:R / #|A|%:R) * (g (l + tau) / g l).
Proof.
rewrite -card_gt0 => A_gt0 A_low D_worse.
have A_le : #|A|%:R * g l <= \sum_t g (L t).
  rewrite (bigID (mem A)) /= -[X in X <= _]addr0 lerD //.
    by rewrite mulr_natl -sumr_const; apply: ler_sum => t /A_low /g_decr.
  by apply: sumr_ge0 => t _; apply: ltW.
have D_le : \sum_(t in D) g (L t) <= #|D|%:R * g (l + tau).
  rewrite mulr_natl -sumr_const; apply: ler_sum => t tD.
  exact/g_decr/D_worse.
have min_gt0 : 0 < #|A|%:R * g l by rewrite mulr_gt0 ?ltr0n.
have D_ge0 : 0 <= \sum_(t in D) g (L t) by apply: sumr_ge0 => t _; apply: ltW.
rewrite /posterior mulf_div.
apply: ler_pM => //; first by rewrite invr_ge0 (le_trans (ltW min_gt0)).
by rewrite lef_pV2 ?posrE // (lt_le_trans min_gt0).
Qed.

Lemma near_multiplicative (A D : {set T}) (l tau : R) :
  (forall s t, g (s + t) = g s * g t) -> A != set0 ->
  (forall t, t \in A -> L t <= l) -> (forall t, t \in D -> l + tau <= L t) ->
  posterior D <= (#|D|%:R / #|A|%:R) * g tau.
Proof.
move=> gD A_neq0 A_low D_worse.
apply: le_trans (posterior_near A_neq0 A_low D_worse) _.
by rewrite gD [g l * _]mulrC mulfK // gt_eqF.
Qed.

Lemma best_le Lmin t : t \in best Lmin -> L t <= Lmin.
Proof. by rewrite inE => /eqP ->. Qed.

Theorem C14_posterior (D : {set T}) (Lmin tau : R) : best Lmin != set0 ->
  (forall t, t \in D -> Lmin + tau <= L t) ->
  posterior D <= (#|D|%:R / #|best Lmin|%:R) * (g (Lmin + tau) / g Lmin).
Proof. by move=> best_neq0; apply: posterior_near => // t; apply: best_le. Qed.

Theorem C14_multiplicative (D : {set T}) (Lmin tau : R) :
  (forall s t, g (s + t) = g s * g t) -> best Lmin != set0 ->
  (forall t, t \in D -> Lmin + tau <= L t) ->
  posterior D <= (#|D|%:R / #|best Lmin|%:R) * g tau.
Proof.
by move=> gD best_neq0; apply: near_multiplicative => // t; apply: best_le.
Qed.

End Posterior.

Section Exponential.

Variables (R : realFieldType) (e : R -> R).
Hypothesis eD : forall x y, e (x + y) = e x * e y.
Hypothesis e_ge : forall x, 1 + x <= e x.

Lemma e_gt0 x : 0 < e x.
Proof.
have e0 : e 0 != 0.
  apply: lt0r_neq0; apply: (lt_le_trans _ (e_ge 0)).
  by rewrite addr0 ltr01.
have ex : e x != 0.
  apply: (contraNneq _ e0) => ex0.
  by rewrite -(subrr x) eD ex0 mul0r subrr.
have half : x / 2%:R + x / 2%:R = x.
  by rewrite -mulrDl -mulr2n -[x *+ 2]mulr_natr mulfK // pnatr_eq0.
by rewrite lt_neqAle eq_sym ex /= -half eD -expr2 sqr_ge0.
Qed.

Lemma e_opp x : e (- x) = (e x)^-1.
Proof.
have e_unit : e 0 = 1.
  apply: (mulfI (lt0r_neq0 (e_gt0 0))).
  by rewrite -eD addr0 mulr1.
apply: (mulfI (lt0r_neq0 (e_gt0 x))).
by rewrite -eD subrr e_unit mulfV // gt_eqF // e_gt0.
Qed.

Lemma e_incr x y : x <= y -> e x <= e y.
Proof.
move=> xy; rewrite -[y](subrK x) [y - x + x]addrC eD ler_pMr ?e_gt0 //.
by apply: (le_trans _ (e_ge _)); rewrite lerDl subr_ge0.
Qed.

Variables (T : finType) (L : T -> R).

Definition boltzmann (beta : R) : R -> R := fun t => e (- (beta * t)).

Lemma near_exponential (A D : {set T}) (l tau beta : R) : 0 <= beta ->
  A != set0 -> (forall t, t \in A -> L t <= l) ->
  (forall t, t \in D -> l + tau <= L t) ->
  posterior L (boltzmann beta) D <=
    (#|D|%:R / #|A|%:R) * (e (beta * tau))^-1.
Proof.
move=> beta_ge0 A_neq0 A_low D_worse; rewrite -e_opp.
apply: (@near_multiplicative _ _ L (boltzmann beta)) A_neq0 A_low D_worse.
- by move=> t; apply: e_gt0.
- by move=> s t st; rewrite e_incr // lerN2 ler_wpM2l.
- by move=> s t; rewrite /boltzmann mulrDr opprD eD.
Qed.

Theorem C14_exponential (D : {set T}) (Lmin tau beta : R) : 0 <= beta ->
  best L Lmin != set0 -> (forall t, t \in D -> Lmin + tau <= L t) ->
  posterior L (boltzmann beta) D <=
    (#|D|%:R / #|best L Lmin|%:R) * (e (beta * tau))^-1.
Proof.
move=> beta_ge0 best_neq0; apply: near_exponential => // t; exact: best_le.
Qed.

Theorem C14_below (D : {set T}) (Lmin tau beta delta : R) :
  0 <= beta -> 0 < delta ->
  best L Lmin != set0 -> (forall t, t \in D -> Lmin + tau <= L t) ->
  #|D|%:R / (delta * #|best L Lmin|%:R) < e (beta * tau) ->
  posterior L (boltzmann beta) D < delta.
Proof.
move=> beta_ge0 delta_gt0 best_neq0 D_worse cold.
apply: le_lt_trans (C14_exponential beta_ge0 best_neq0 D_worse) _.
rewrite ltr_pdivrMr ?e_gt0 // -ltr_pdivrMl //.
by move: cold; rewrite invfM mulrCA.
Qed.

Theorem C14_beta (D : {set T}) (Lmin tau beta delta : R) :
  0 < tau -> 0 < delta ->
  best L Lmin != set0 -> (forall t, t \in D -> Lmin + tau <= L t) ->
  #|D|%:R / (delta * #|best L Lmin|%:R * tau) <= beta ->
  posterior L (boltzmann beta) D < delta.
Proof.
move=> tau_gt0 delta_gt0 best_neq0 D_worse beta_ge.
have best_gt0 : 0 < #|best L Lmin|%:R :> R by rewrite ltr0n card_gt0.
have beta_ge0 : 0 <= beta.
  apply: (le_trans _ beta_ge).
  by rewrite divr_ge0 ?ler0n // !mulr_ge0 ?ltW.
apply: C14_below D_worse _ => //.
apply: (lt_le_trans _ (e_ge _)).
have le_x : #|D|%:R / (delta * #|best L Lmin|%:R) <= beta * tau.
  by rewrite -ler_pdivrMr // -mulrA -invfM.
by apply: (le_lt_trans le_x); rewrite ltrDr ltr01.
Qed.

End Exponential.
