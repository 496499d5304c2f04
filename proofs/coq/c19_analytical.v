(******************************************************************************)
(* C19, analytical class: linear regression on p fixed features, with or      *)
(* without an intercept that is not penalised. The minimiser is unique or of  *)
(* least norm, and so carries no train-idle circuit: no premise that the      *)
(* class is underparameterised is needed.                                     *)
(*                                                                            *)
(*  pred phi a c i == c + sum_j phi_ij a_j, the output at example i           *)
(*        size2 a == sum_j |a_j|^2                                            *)
(*    ridge l a c == sum_i |pred i - y_i|^2 + l * size2 a                     *)
(* ridge_min b l a c == (a, c) has the least ridge of all; c is 0 unless b    *)
(*  min_norm b a c == (a, c) has the least squared error (ridge 0), and the   *)
(*                    least size2 of all that do                              *)
(*     C19_ridge == at a ridge minimiser, l > 0, every circuit J that sends   *)
(*                  one value v in training has a_j = 0 (v = 0 unless b)      *)
(*  C19_min_norm == the same for the least-squares solution of least norm     *)
(*   C19_feature == so a feature constant in training has weight 0, b true    *)
(*  C19_vanishes == and one that is 0 in training, for any b                  *)
(*    C19_normal == the normal equations give a ridge minimiser               *)
(*    C19_unique == and, l > 0, no ridge minimiser has other weights          *)
(* C19_row_space == the normal equations for l = 0 and weights in the row     *)
(*                  space of phi give the min_norm solution                   *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Regression.

Variables (R : realFieldType) (p m N : nat).
Variables (phi : 'I_N -> 'I_p -> R) (y : 'I_N -> 'rV[R]_m).
Implicit Types (a : 'I_p -> 'rV[R]_m) (c v : 'rV[R]_m) (J : {set 'I_p}).

Definition pred a c i := c + \sum_j phi i j *: a j.

Definition size2 a : R := \sum_j normsq (a j).

Definition ridge l a c : R := \sum_i normsq (pred a c i - y i) + l * size2 a.

Definition allowed (b : bool) c := b || (c == 0).

Definition ridge_min b l a c := allowed b c /\
  forall a' c', allowed b c' -> ridge l a c <= ridge l a' c'.

Definition min_norm b a c := ridge_min b 0 a c /\
  forall a' c', ridge_min b 0 a' c' -> size2 a <= size2 a'.

(* The circuit J cut, and the constant that it sent added to the intercept.   *)
Definition without a J j := if j \in J then 0 else a j.

Lemma pred_without a c J v i : \sum_(j in J) phi i j *: a j = v ->
  pred (without a J) (c + v) i = pred a c i.
Proof.
move=> <-; rewrite /pred [in RHS](bigID (mem J)) /= -addrA; congr (_ + (_ + _)).
rewrite (bigID (mem J)) /= big1 ?add0r => [|j jJ]; last first.
  by rewrite /without jJ scaler0.
by apply: eq_bigr => j /negbTE jJ; rewrite /without jJ.
Qed.

Lemma size2_without a J : size2 (without a J) <= size2 a ?= iff
  [forall (j | j \in J), a j == 0].
Proof.
have step j : true -> normsq (without a J j) <= normsq (a j) ?= iff
    ((j \in J) ==> (a j == 0)).
  rewrite /without; case: (j \in J) => /= _; last exact: leif_refl.
  have n0 : normsq (0 : 'rV[R]_m) = 0 by apply/eqP; rewrite normsq_eq0.
  rewrite n0; apply/leifP; case: eqP => [->|/eqP]; first by rewrite n0.
  by rewrite normsq_gt0.
exact: leif_sum step.
Qed.

Variables (b : bool) (a : 'I_p -> 'rV[R]_m) (c : 'rV[R]_m).

Section Idle.

Variables (J : {set 'I_p}) (v : 'rV[R]_m).
Hypothesis idle : forall i, \sum_(j in J) phi i j *: a j = v.
Hypothesis v_allowed : b || (v == 0).

Lemma allowed_without : allowed b c -> allowed b (c + v).
Proof.
rewrite /allowed; case: (b) v_allowed => //= /eqP-> /eqP->.
by rewrite addr0.
Qed.

Lemma ridge_without l : ridge l (without a J) (c + v) = ridge l a c
  - l * (size2 a - size2 (without a J)).
Proof.
rewrite /ridge; under eq_bigr => i _ do rewrite pred_without //.
by ring.
Qed.

Lemma all_zero : size2 a <= size2 (without a J) -> forall j, j \in J -> a j = 0.
Proof.
rewrite (ge_leif (size2_without a J)) => /forall_inP zero j jJ.
exact/eqP/zero.
Qed.

Theorem C19_ridge l : 0 < l -> ridge_min b l a c ->
  forall j, j \in J -> a j = 0.
Proof.
move=> l_gt0 [c_ok a_min]; apply: all_zero.
have := a_min (without a J) _ (allowed_without c_ok).
by rewrite ridge_without lerBrDl gerDr pmulr_rle0 // subr_le0.
Qed.

Theorem C19_min_norm : min_norm b a c -> forall j, j \in J -> a j = 0.
Proof.
move=> [[c_ok a_min] a_least]; apply: all_zero.
apply: (a_least _ (c + v)); split; first exact: allowed_without.
by move=> a' c' c'_ok; rewrite ridge_without mul0r subr0; apply: a_min.
Qed.

End Idle.

Section Normal.

Variable l : R.
Let r i := y i - pred a c i.
Hypothesis c_ok : allowed b c.
Hypothesis normal : forall j, \sum_i phi i j *: r i = l *: a j.
Hypothesis intercept : b -> \sum_i r i = 0.

Lemma dotr a' c' : allowed b c' ->
  \sum_i dot (r i) (pred a' c' i - pred a c i)
  = l * \sum_j dot (a j) (a' j - a j).
Proof.
move=> c'_ok.
have predB i : pred a' c' i - pred a c i
    = (c' - c) + \sum_j phi i j *: (a' j - a j).
  rewrite /pred opprD addrACA -sumrB; congr (_ + _).
  by apply: eq_bigr => j _; rewrite scalerBr.
under eq_bigr => i _ do rewrite predB dotDr dot_sumr.
rewrite big_split /=.
have suml (F : 'I_N -> 'rV[R]_m) x : \sum_i dot (F i) x = dot (\sum_i F i) x.
  by rewrite dotC dot_sumr; apply: eq_bigr => i _; rewrite dotC.
rewrite suml [X in X + _](_ : _ = 0) ?add0r; last first.
  case: (b) c_ok c'_ok intercept => [_ _ /(_ isT)->|/eqP-> /eqP-> _].
    by rewrite dot0l.
  by rewrite subrr dot0r.
rewrite exchange_big mulr_sumr; apply: eq_bigr => j _ /=.
rewrite -dotZl -normal -suml.
by apply: eq_bigr => i _; rewrite dotZr dotZl.
Qed.

Lemma ridge_normal a' c' : allowed b c' -> ridge l a' c' = ridge l a c
  + \sum_i normsq (pred a' c' i - pred a c i)
  + l * \sum_j normsq (a' j - a j).
Proof.
move=> c'_ok; have := dotr a' c'_ok.
have sq (u w : 'rV[R]_m) :
    normsq (w - u) + dot u (w - u) *+ 2 = normsq w - normsq u.
  rewrite /normsq /dot -!sumrMnl -big_split -sumrB /=; apply: eq_bigr => k _.
  by rewrite !coordB; move: (u 0 k) (w 0 k) => s t; ring.
have sqr i : normsq (pred a' c' i - y i)
    = normsq (pred a c i - y i) + normsq (pred a' c' i - pred a c i)
      - dot (r i) (pred a' c' i - pred a c i) *+ 2.
  rewrite /normsq /dot -!sumrMnl -big_split -sumrB /=; apply: eq_bigr => k _.
  rewrite /r !coordB.
  by move: (pred a c i 0 k) (pred a' c' i 0 k) (y i 0 k) => s t x; ring.
have E : size2 a' = size2 a
    + (\sum_j normsq (a' j - a j) + (\sum_j dot (a j) (a' j - a j)) *+ 2).
  rewrite /size2 -sumrMnl -!big_split; apply: eq_bigr => j _ /=.
  by rewrite sq addrC subrK.
rewrite /ridge E (eq_bigr _ (fun i _ => sqr i)) sumrB big_split /= sumrMnl.
by move=> ->; ring.
Qed.

Theorem C19_normal : 0 <= l -> ridge_min b l a c.
Proof.
move=> l_ge0; split=> // a' c' c'_ok.
rewrite (ridge_normal a' c'_ok) -addrA lerDl.
by rewrite addr_ge0 ?mulr_ge0 ?sumr_ge0 // => i _; apply: normsq_ge0.
Qed.

Theorem C19_unique a' c' : 0 < l -> ridge_min b l a' c' ->
  forall j, a' j = a j.
Proof.
move=> l_gt0 [c'_ok a'_min] j; apply/eqP; rewrite -subr_eq0 -normsq_eq0.
have := a'_min a c c_ok; rewrite (ridge_normal a' c'_ok) -addrA gerDl => le0.
have P_ge0 : 0 <= \sum_i normsq (pred a' c' i - pred a c i).
  by apply: sumr_ge0 => i _; apply: normsq_ge0.
have Q_le0 : \sum_k normsq (a' k - a k) <= 0.
  rewrite -(pmulr_rle0 _ l_gt0); apply: le_trans le0; by rewrite lerDr.
rewrite eq_le normsq_ge0 andbT; apply: le_trans Q_le0.
rewrite (bigD1 j) //= lerDl; by apply: sumr_ge0 => k _; apply: normsq_ge0.
Qed.

End Normal.

Theorem C19_row_space u : allowed b c ->
  (forall j, \sum_i phi i j *: (y i - pred a c i) = 0) ->
  (b -> \sum_i (y i - pred a c i) = 0) ->
  (forall j, a j = \sum_i phi i j *: u i) -> (b -> \sum_i u i = 0) ->
  min_norm b a c.
Proof.
move=> c_ok normal intercept row_space u0.
have normal0 j : \sum_i phi i j *: (y i - pred a c i) = 0 *: a j.
  by rewrite scale0r.
split=> [|a' c' [c'_ok a'_min]]; first exact: (C19_normal c_ok normal0).
have := a'_min a c c_ok.
rewrite (ridge_normal c_ok normal0 intercept _ c'_ok).
rewrite mul0r addr0 gerDl => le0.
have same i : pred a' c' i = pred a c i.
  apply/eqP; rewrite -subr_eq0 -normsq_eq0 eq_le normsq_ge0 andbT.
  apply: le_trans le0; rewrite (bigD1 i) //= lerDl.
  by apply: sumr_ge0 => k _; apply: normsq_ge0.
have cross : \sum_j dot (a j) (a' j - a j) = 0.
  transitivity (\sum_i dot (u i) (\sum_j phi i j *: (a' j - a j))).
    under [RHS]eq_bigr => i _ do rewrite dot_sumr.
    rewrite [RHS]exchange_big; apply: eq_bigr => j _ /=.
    rewrite row_space dotC dot_sumr; apply: eq_bigr => i _.
    by rewrite dotZr dotC -dotZr.
  have shift i : \sum_j phi i j *: (a' j - a j) = c - c'.
    under eq_bigr => j _ do rewrite scalerBr.
    apply/eqP; rewrite sumrB subr_eq -[c - c' + _]addrAC -/(pred a c i).
    by rewrite -same /pred addrAC subrr add0r.
  under eq_bigr => i _ do rewrite shift dotC.
  rewrite -dot_sumr.
  case: (b) c_ok c'_ok u0 => [_ _ /(_ isT)->|/eqP-> /eqP-> _].
    exact: dot0r.
  by rewrite subrr dot0l.
have sq j : normsq (a' j) = normsq (a j) + normsq (a' j - a j)
    + dot (a j) (a' j - a j) *+ 2.
  rewrite /normsq /dot -!sumrMnl -!big_split /=; apply: eq_bigr => k _.
  by rewrite !coordB; move: (a j 0 k) (a' j 0 k) => s t; ring.
have -> : size2 a' = size2 a + (\sum_j normsq (a' j - a j)
    + (\sum_j dot (a j) (a' j - a j)) *+ 2).
  rewrite /size2 -sumrMnl -!big_split; apply: eq_bigr => j _ /=.
  by rewrite sq addrA.
rewrite cross mul0rn addr0 lerDl.
by apply: sumr_ge0 => j _; apply: normsq_ge0.
Qed.

End Regression.

Section Features.

Variables (R : realFieldType) (p m N : nat).
Variables (phi : 'I_N -> 'I_p -> R) (y : 'I_N -> 'rV[R]_m).
Variables (b : bool) (l : R) (a : 'I_p -> 'rV[R]_m) (c : 'rV[R]_m).
Hypothesis solution : 0 < l /\ ridge_min phi y b l a c \/ min_norm phi y b a c.

Theorem C19_feature j t : (forall i, phi i j = t) -> b || (t == 0) -> a j = 0.
Proof.
move=> phi_t t_ok.
have idle i : \sum_(k in [set j]) phi i k *: a k = t *: a j.
  by rewrite big_set1 phi_t.
have v_ok : b || (t *: a j == 0).
  by case/orP: t_ok => [->//|/eqP->]; rewrite scale0r eqxx orbT.
case: solution => [[l_gt0 a_min]|a_min].
  exact: (C19_ridge idle v_ok l_gt0 a_min (set11 j)).
exact: (C19_min_norm idle v_ok a_min (set11 j)).
Qed.

Theorem C19_vanishes j : (forall i, phi i j = 0) -> a j = 0.
Proof. by move=> phi0; apply: (C19_feature phi0); rewrite eqxx orbT. Qed.

End Features.
