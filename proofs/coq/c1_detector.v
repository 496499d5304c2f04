(******************************************************************************)
(* C1, the detector: a model that agrees with the base policy in training and *)
(* defects at deployment detects the shift, and total variation bounds how    *)
(* well. Inputs range over a finite type T, of any size.                      *)
(*                                                                            *)
(*    distribution p == p is nonnegative and sums to 1                        *)
(*         prob p D == the probability of the event D under p                 *)
(*           tv p q == total variation, half the sum of |q - p|               *)
(*      defects f g == D_f, the inputs at which f and g differ                *)
(*   accuracy p q D == of the rule that says deployment on D, at equal priors *)
(* posterior t a b == b t / (a (1 - t) + b t): P(dep|z) where z has           *)
(*                    probability a in training, b at deployment, prior t     *)
(*     C1_detector == agreement on the train support: no false alarm          *)
(*    C1_variation == P_dep(D) - P_train(D) <= TV                             *)
(*       C1_mixing == P_train >= eps P_dep gives P_dep(D) <= P_train(D) / eps *)
(*    C1_posterior == P(dep|z) = 1 - P(train|z)                               *)
(*        C1_bayes == no rule is more accurate than (1 + TV) / 2              *)
(*   C1_threshold == the posterior above 1/2 at equal priors is that accurate *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Detector.

Variables (R : realFieldType) (T : finType).
Implicit Types (p q : T -> R) (D : {set T}).

Definition distribution p := (forall x, 0 <= p x) /\ \sum_x p x = 1.

Definition prob p D := \sum_(x in D) p x.

Definition tv p q := 2%:R^-1 * \sum_x `|q x - p x|.

Definition defects (Y : eqType) (f g : T -> Y) := [set x | f x != g x].

Definition accuracy p q D := 2%:R^-1 * (prob q D + prob p (~: D)).

Definition posterior (t a b : R) := b * t / (a * (1 - t) + b * t).

Theorem C1_detector (Y : eqType) (f g : T -> Y) p q :
  (forall x, p x != 0 -> f x = g x) -> 0 < prob q (defects f g) ->
  prob p (defects f g) = 0 /\ prob p (defects f g) < prob q (defects f g).
Proof.
move=> agree defect; suff p0 : prob p (defects f g) = 0 by rewrite p0.
apply: big1 => x; rewrite inE => fg; apply/eqP.
by apply: contraNT fg => /agree ->.
Qed.

Lemma prob_setC p D : distribution p -> prob p (~: D) = 1 - prob p D.
Proof.
move=> [_ <-]; apply/eqP; rewrite eq_sym subr_eq addrC; apply/eqP.
rewrite (bigID (mem D)) /=; congr (_ + _).
by apply: eq_bigl => x; rewrite inE.
Qed.

(* Where q exceeds p is the event on which they differ by TV.                 *)
Lemma tv_event p q : distribution p -> distribution q ->
  tv p q = prob q [set x | p x < q x] - prob p [set x | p x < q x].
Proof.
move=> [_ p1] [_ q1]; pose A := [set x | p x < q x].
have splitA : \sum_x (q x - p x) = 0 by rewrite sumrB p1 q1 subrr.
have /= absE : \sum_x `|q x - p x|
  = \sum_(x in A) (q x - p x) - \sum_(x in ~: A) (q x - p x).
  rewrite (bigID (mem A)) /= -sumrN; congr (_ + _).
    by apply: eq_bigr => x; rewrite inE => pq; rewrite gtr0_norm // subr_gt0.
  apply: eq_big => x; first by rewrite !inE.
  by rewrite inE -leNgt => qp; rewrite ler0_norm // subr_le0.
move: splitA; rewrite (bigID (mem A)) /=.
have -> : \sum_(x | x \notin A) (q x - p x) = \sum_(x in ~: A) (q x - p x).
  by apply: eq_bigl => x; rewrite !inE.
rewrite /tv absE /prob -sumrB -/A => splitA.
set u := \sum_(x in A) _ in splitA *; set v := \sum_(x in ~: A) _ in splitA *.
have -> : v = - u by apply/eqP; rewrite -addr_eq0 addrC splitA.
by rewrite opprK -mulr2n -[u *+ 2]mulr_natl mulKf // pnatr_eq0.
Qed.

Theorem C1_variation p q D : distribution p -> distribution q ->
  prob q D - prob p D <= tv p q.
Proof.
move=> dp dq; rewrite tv_event // /prob -!sumrB.
rewrite [leLHS]big_mkcond [leRHS]big_mkcond /=; apply: ler_sum => x _.
rewrite inE -subr_gt0; case: ifP => _; case: ltP => //.
by move=> /ltW.
Qed.

Theorem C1_mixing p q D (eps : R) : 0 < eps ->
  (forall x, eps * q x <= p x) -> prob q D <= prob p D / eps.
Proof.
move=> eps_gt0 mix; rewrite ler_pdivlMr // mulr_suml.
by apply: ler_sum => x _; rewrite mulrC.
Qed.

Theorem C1_posterior (t a b : R) : a * (1 - t) + b * t != 0 ->
  posterior t a b = 1 - posterior (1 - t) b a.
Proof.
move=> ev; rewrite /posterior subKr [b * t + _]addrC.
by apply: (mulIf ev); rewrite mulrBl mul1r !divfK // addrAC subrr add0r.
Qed.

Lemma accuracyE p q D : distribution p ->
  accuracy p q D = (1 + (prob q D - prob p D)) / 2%:R.
Proof.
by move=> dp; rewrite /accuracy prob_setC // mulrC; congr (_ / _); ring.
Qed.

Theorem C1_bayes p q D : distribution p -> distribution q ->
  accuracy p q D <= (1 + tv p q) / 2%:R.
Proof.
move=> dp dq; rewrite accuracyE // ler_pM2r ?invr_gt0 ?ltr0n //.
by rewrite lerD2l C1_variation.
Qed.

Theorem C1_threshold p q : distribution p -> distribution q ->
  let says := [set x | 2%:R^-1 < posterior 2%:R^-1 (p x) (q x)] in
  accuracy p q says = (1 + tv p q) / 2%:R.
Proof.
move=> dp dq says; rewrite accuracyE // tv_event //.
suff -> : says = [set x | p x < q x] by [].
apply/setP=> x; rewrite !inE /posterior.
have p_ge0 := dp.1 x; have q_ge0 := dq.1 x.
have half : 1 - 2%:R^-1 = 2%:R^-1 :> R by field.
rewrite half -mulrDl -mulf_div divff ?mulr1 ?invr_eq0 ?pnatr_eq0 //.
have [s0|s_neq0] := eqVneq (p x + q x) 0.
  have /andP[/eqP -> /eqP ->] : (p x == 0) && (q x == 0).
    by rewrite -paddr_eq0 ?s0.
  by rewrite mul0r ltxx invr_lt0 ltrn0.
have s_gt0 : 0 < p x + q x by rewrite lt_def s_neq0 addr_ge0.
rewrite ltr_pdivlMr // mulrC ltr_pdivrMr ?ltr0n //.
by rewrite mulr_natr mulr2n ltrD2r.
Qed.

End Detector.
