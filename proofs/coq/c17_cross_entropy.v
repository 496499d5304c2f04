(******************************************************************************)
(* C17, cross-entropy: what C17 takes as a premise, proved of cross-entropy   *)
(* and of the logistic loss. Of the exponential and the logarithm only this   *)
(* is used:                                                                   *)
(*   exponential e ln == e (x + y) = e x * e y and 1 + x <= e x for all x, y, *)
(*                    and e (ln t) = t for t > 0                              *)
(* The real exp and ln are such functions: coq_classical/real_exponential.v.  *)
(*                                                                            *)
(*    softmax z == the row of e z_k / sum_l e z_l; there are m + 1 classes    *)
(* cross_entropy t z == ln (sum_l e z_l) - <t, z>; t may be any row, in       *)
(*                    particular a class (a unit vector) or probabilities     *)
(*   logistic y f == ln (1 + e f) - y f, for one output                       *)
(*      C17_tangent == cross-entropy is convex, with gradient softmax z - t   *)
(*        C17_bound == and where no v_k is above 1/2, it is above its tangent *)
(*                    by at most 2 sum_k softmax z_k v_k^2                    *)
(*      C17_softmax == so C17's premises hold of cross-entropy, at every f    *)
(*     C17_logistic == and of the logistic loss                               *)
(*    C17_step_size == an explicit step along a unit, and its drop            *)
(* C17_no_idle_circuit == at a minimiser where some group's gradients do not  *)
(*                    sum to 0 no circuit is train-idle                       *)
(* C17_cross_entropy == C8 for cross-entropy: so it is under P1               *)
(* C17_missing_class == where at some input some class never occurs, the      *)
(*                    gradients there do not sum to 0, whatever the net       *)
(*      C17_classes == so with such labels P1 is no premise                   *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c17_other_losses.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Definition exponential (R : realFieldType) (e ln : R -> R) :=
  [/\ forall x y, e (x + y) = e x * e y, forall x, 1 + x <= e x
    & forall t, 0 < t -> e (ln t) = t].

Section Exponential.

Variables (R : realFieldType) (e ln : R -> R).
Hypothesis exp_ln : exponential e ln.

Lemma eD x y : e (x + y) = e x * e y.
Proof. by case: exp_ln => ->. Qed.

Lemma e_ge x : 1 + x <= e x.
Proof. by case: exp_ln. Qed.

Lemma ln_e t : 0 < t -> e (ln t) = t.
Proof. by case: exp_ln => _ _; apply. Qed.

Lemma e_gt0 x : 0 < e x.
Proof.
rewrite lt_def; apply/andP; split; last first.
  by rewrite [x]splitr eD -expr2 sqr_ge0.
have : 0 < e x * e (- x).
  by rewrite -eD subrr; apply: lt_le_trans (e_ge 0); rewrite addr0 ltr01.
by apply: contraTneq => ->; rewrite mul0r ltxx.
Qed.

Lemma e0 : e 0 = 1.
Proof. by apply: (mulfI (lt0r_neq0 (e_gt0 0))); rewrite -eD addr0 mulr1. Qed.

Lemma e_le x y : (e x <= e y) = (x <= y).
Proof.
move: x y; apply: le_mono => x y x_lt.
rewrite -[y](subrK x) addrC eD ltr_pMr ?e_gt0 //.
by apply: lt_le_trans (e_ge _); rewrite ltrDl subr_gt0.
Qed.

Lemma e_quadratic x : x <= 2%:R^-1 -> e x <= 1 + x + 2%:R * x ^+ 2.
Proof.
move=> x_le; have x2_le : x *+ 2 <= 1.
  by rewrite -mulr_natr -ler_pdivlMr ?ltr0n // mul1r.
have x_lt1 : 0 < 1 - x.
  rewrite subr_gt0; apply: le_lt_trans x_le _.
  by rewrite invf_lt1 ?ltr0n // ltr1n.
rewrite -(ler_pM2r x_lt1); apply: (@le_trans _ _ 1).
  have e_inv : e x * e (- x) = 1 by rewrite -eD subrr e0.
  by rewrite -[leRHS]e_inv ler_pM2l ?e_gt0 // e_ge.
rewrite -subr_ge0; have -> : (1 + x + 2%:R * x ^+ 2) * (1 - x) - 1
  = x ^+ 2 * (1 - x *+ 2) by ring.
by rewrite mulr_ge0 ?sqr_ge0 // subr_ge0.
Qed.

Section Softmax.

Lemma coordZ k a (v : 'rV[R]_k) i : (a *: v) 0 i = a * v 0 i.
Proof. by rewrite mxE. Qed.

Variable m : nat.
Implicit Types z t v : 'rV[R]_m.+1.

Definition partition z : R := \sum_k e (z 0 k).

Definition softmax z : 'rV[R]_m.+1 := \row_k (e (z 0 k) / partition z).

Definition cross_entropy t z : R := ln (partition z) - dot t z.

Lemma partition_gt0 z : 0 < partition z.
Proof.
rewrite /partition big_ord_recl ltr_wpDr ?e_gt0 //.
by apply: sumr_ge0 => k _; rewrite ltW ?e_gt0.
Qed.

Lemma softmax_gt0 z k : 0 < softmax z 0 k.
Proof. by rewrite mxE divr_gt0 ?e_gt0 ?partition_gt0. Qed.

Lemma softmax_sum z : \sum_k softmax z 0 k = 1.
Proof.
under eq_bigr => k _ do rewrite mxE.
by rewrite -mulr_suml divff // gt_eqF ?partition_gt0.
Qed.

Lemma softmax_le1 z k : softmax z 0 k <= 1.
Proof.
rewrite -(softmax_sum z) (bigD1 k) //= lerDl.
by apply: sumr_ge0 => l _; rewrite ltW ?softmax_gt0.
Qed.

Lemma partitionD z v :
  partition (z + v) = partition z * \sum_k softmax z 0 k * e (v 0 k).
Proof.
rewrite mulr_sumr; apply: eq_bigr => k _; rewrite !mxE eD mulrA; congr (_ * _).
by rewrite mulrCA divff ?mulr1 // gt_eqF ?partition_gt0.
Qed.

Theorem C17_tangent t z v :
  cross_entropy t z + dot (softmax z - t) v <= cross_entropy t (z + v).
Proof.
set p := dot (softmax z) v.
suff le_p : ln (partition z) + p <= ln (partition (z + v)).
  rewrite /cross_entropy dotDr -scaleN1r dotDl dotZl mulN1r -/p.
  have -> : ln (partition z) - dot t z + (p - dot t v)
    = ln (partition z) + p - (dot t z + dot t v) by ring.
  by rewrite lerB.
rewrite -e_le eD !ln_e ?partition_gt0 // partitionD.
rewrite ler_pM2l ?partition_gt0 //.
apply: (@le_trans _ _ (\sum_k softmax z 0 k * (e p * (1 + (v 0 k - p))))).
  rewrite le_eqVlt; apply/orP; left; apply/eqP.
  have -> : \sum_k softmax z 0 k * (e p * (1 + (v 0 k - p)))
      = \sum_k (e p * (1 - p) * softmax z 0 k + e p * (softmax z 0 k * v 0 k)).
    by apply: eq_bigr => k _; move: (softmax z 0 k) (v 0 k) => a b; ring.
  rewrite big_split -!mulr_sumr softmax_sum -/(dot _ v) -/p /=; ring.
apply: ler_sum => k _; rewrite ler_pM2l ?softmax_gt0 //.
have {2}-> : v 0 k = p + (v 0 k - p) by rewrite addrC subrK.
by rewrite eD ler_pM2l ?e_gt0 // e_ge.
Qed.

Theorem C17_bound t z v : (forall k, v 0 k <= 2%:R^-1) ->
  cross_entropy t (z + v) <= cross_entropy t z + dot (softmax z - t) v
    + 2%:R * \sum_k softmax z 0 k * v 0 k ^+ 2.
Proof.
move=> v_le; set p := dot (softmax z) v; set q := \sum_k _.
suff le_p : ln (partition (z + v)) <= ln (partition z) + (p + 2%:R * q).
  rewrite /cross_entropy dotDr -scaleN1r dotDl dotZl mulN1r -/p.
  have -> : ln (partition z) - dot t z + (p - dot t v) + 2%:R * q
    = ln (partition z) + (p + 2%:R * q) - (dot t z + dot t v) by ring.
  by rewrite lerB.
rewrite -e_le eD !ln_e ?partition_gt0 // partitionD.
rewrite ler_pM2l ?partition_gt0 //.
apply: le_trans (e_ge _).
have -> : 1 + (p + 2%:R * q)
    = \sum_k softmax z 0 k * (1 + v 0 k + 2%:R * v 0 k ^+ 2).
  have -> : 1 + (p + 2%:R * q) = 1 * 1 + p + 2%:R * q by ring.
  rewrite -{2}(softmax_sum z) /p /q /dot !mulr_sumr -!big_split.
  by apply: eq_bigr => k _; rewrite /= mul1r; move: (softmax z 0 k) => a; ring.
by apply: ler_sum => k _; rewrite ler_pM2l ?softmax_gt0 // e_quadratic.
Qed.

End Softmax.

End Exponential.

Section Nets.

Variables (R : realFieldType) (e ln : R -> R).
Hypothesis exp_ln : exponential e ln.
Variables (d m N : nat) (z : 'I_N -> 'rV[R]_d) (t : 'I_N -> 'rV[R]_m.+1).
Implicit Types f : 'rV[R]_d -> 'rV[R]_m.+1.

Let l i := cross_entropy e ln (t i).

Definition total_cross_entropy f : R := total z l f.

Definition gradient f i : 'rV[R]_m.+1 := softmax e (f (z i)) - t i.

Theorem C17_softmax f :
  has_gradient z l (gradient f) f /\ convex_at z l (gradient f) f.
Proof.
split=> [i v|i v]; last first.
  rewrite /l -[v in leRHS](subrK (f (z i))) [v - _ + _]addrC.
  exact: C17_tangent.
pose S := 1 + \sum_k `|v 0 k|.
have S_gt0 : 0 < S by rewrite ltr_wpDr ?sumr_ge0.
exists (2%:R * S)^-1, (2%:R * \sum_k softmax e (f (z i)) 0 k * v 0 k ^+ 2).
split=> [|a a_le]; first by rewrite invr_gt0 mulr_gt0 ?ltr0n.
have low := C17_tangent exp_ln (t i) (f (z i)) (a *: v).
have high : cross_entropy e ln (t i) (f (z i) + a *: v)
  <= cross_entropy e ln (t i) (f (z i)) + dot (gradient f i) (a *: v)
     + 2%:R * \sum_k softmax e (f (z i)) 0 k * (a *: v) 0 k ^+ 2.
  apply: C17_bound => // k; rewrite mxE; apply: le_trans (ler_norm _) _.
  rewrite normrM; apply: (@le_trans _ _ ((2%:R * S)^-1 * S)); last first.
    by rewrite invfM -mulrA mulVf ?mulr1 // gt_eqF.
  apply: ler_pM => //; rewrite /S (bigD1 k) //= addrCA lerDl.
  by rewrite addr_ge0 // sumr_ge0.
rewrite dotZr in low high; rewrite /l ger0_norm; last first.
  by rewrite -addrA -opprD subr_ge0.
rewrite -addrA -opprD lerBlDl; apply: le_trans high _.
rewrite lerD2l -mulrA ler_pM2l ?ltr0n // mulr_suml.
by rewrite le_eqVlt; apply/orP; left; apply/eqP/eq_bigr => k _; rewrite coordZ;
  move: (softmax _ _ _ _) (v 0 k : R) => p x; ring.
Qed.

Theorem C17_step_size f (phi : 'I_N -> R) a :
  let s := \sum_i phi i *: gradient f i in let q := \sum_i phi i ^+ 2 in
  0 < a -> 4%:R * q * a <= 1 ->
  (forall i k, `|a * phi i * s 0 k| <= 2%:R^-1) ->
  \sum_i cross_entropy e ln (t i) (f (z i) - (a * phi i) *: s)
  <= total_cross_entropy f - a / 2%:R * normsq s.
Proof.
move=> s q a_gt0 qa_le v_le.
apply: (@le_trans _ _ (\sum_i (l i (f (z i))
    - a * (phi i * dot s (gradient f i))
    + 2%:R * a ^+ 2 * normsq s * phi i ^+ 2))).
  apply: ler_sum => i _; rewrite -scaleNr.
  apply: le_trans (C17_bound exp_ln (t i) (f (z i)) _) _ => [k|].
    by rewrite mxE mulNr; apply: le_trans (ler_norm _) _; rewrite normrN.
  rewrite dotZr -/(gradient f i) (dotC _ s); apply: lerD.
    by rewrite mulrA mulNr.
  rewrite -!mulrA ler_pM2l ?ltr0n // /normsq mulr_suml !mulr_sumr.
  apply: ler_sum => k _; rewrite coordZ.
  have := softmax_le1 exp_ln (f (z i)) k.
  move: (softmax e (f (z i)) 0 k) (s 0 k : R) => p u p_le1.
  have -> : p * (- (a * phi i) * u) ^+ 2 = p * (a * u * phi i) ^+ 2 by ring.
  have -> : a * (a * (u ^+ 2 * phi i ^+ 2)) = (a * u * phi i) ^+ 2 by ring.
  by rewrite ler_piMl ?sqr_ge0.
rewrite big_split sumrB -!mulr_sumr -/q /=.
have -> : \sum_i phi i * dot s (gradient f i) = normsq s.
  under eq_bigr => i _ do rewrite -dotZr.
  by rewrite -dot_sumr -/s; apply: eq_bigr => k _; rewrite expr2.
rewrite -subr_ge0; set n := normsq s.
have -> : total_cross_entropy f - a / 2%:R * n
    - (\sum_i l i (f (z i)) - a * n + 2%:R * a ^+ 2 * n * q)
  = a * n / 2%:R * (1 - 4%:R * q * a).
  by rewrite /total_cross_entropy /total; field.
by rewrite mulr_ge0 ?subr_ge0 ?divr_ge0 ?mulr_ge0 ?normsq_ge0 ?ler0n // ltW.
Qed.

Variable n : nat.
Implicit Types (theta : net R d m.+1 n) (J : {set 'I_n}).

Let minimal theta := forall theta',
  total_cross_entropy (eval theta) <= total_cross_entropy (eval theta').

Theorem C17_no_idle_circuit theta J :
  (exists i, gsum z (gradient (eval theta)) (z i) != 0) ->
  minimal theta -> J != set0 -> ~ train_idle z theta J.
Proof. by have [grad _] := C17_softmax (eval theta); apply: C17_no_idle. Qed.

Theorem C17_cross_entropy :
  (forall theta, exists n' (theta' : net R d m.+1 n'), (n < n')%N /\
     total_cross_entropy (eval theta') < total_cross_entropy (eval theta)) ->
  forall theta, minimal theta -> forall J, J != set0 -> ~ train_idle z theta J.
Proof.
move=> p1 theta min_theta J; have [grad convex] := C17_softmax (eval theta).
apply: (C17_no_idle_circuit _ min_theta).
exact/(C17_equivalents grad convex 0%N 2%N)/(p1 theta).
Qed.

Theorem C17_missing_class f :
  (exists i k, forall j, z j = z i -> t j 0 k = 0) ->
  exists i, gsum z (gradient f) (z i) != 0.
Proof.
move=> [i [k t0]]; exists i; apply/eqP => sum0.
suff : 0 < gsum z (gradient f) (z i) 0 k by rewrite sum0 mxE ltxx.
rewrite /gsum summxE (bigD1 i) //= ltr_wpDr //; last first.
  by rewrite coordB t0 // subr0 (softmax_gt0 exp_ln).
apply: sumr_ge0 => j /andP[/eqP/t0 tj _].
by rewrite coordB tj subr0 ltW // (softmax_gt0 exp_ln).
Qed.

Theorem C17_classes theta :
  (exists i k, forall j, z j = z i -> t j 0 k = 0) ->
  minimal theta -> forall J, J != set0 -> ~ train_idle z theta J.
Proof.
move=> missing min_theta J; apply: C17_no_idle_circuit min_theta.
exact: C17_missing_class.
Qed.

End Nets.

Section Logistic.

Variables (R : realFieldType) (e ln : R -> R).
Hypothesis exp_ln : exponential e ln.
Variables (d N : nat) (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> R).
Implicit Types (f : 'rV[R]_d -> 'rV[R]_1) (u v : 'rV[R]_1).

Definition logistic c u : R := ln (1 + e (u 0 0)) - c * u 0 0.

Definition sigma_gradient f i : 'rV[R]_1 :=
  (e (f (z i) 0 0) / (1 + e (f (z i) 0 0)) - y i)%:M.

(* The output f as the two outputs f and 0, the second class with target 0.   *)
Let two u : 'rV[R]_2 := \row_k (if k == 0 then u 0 0 else 0).

Lemma two0 u : two u 0 0 = u 0 0.
Proof. by rewrite mxE. Qed.

Lemma two1 u : two u 0 (lift ord0 ord0) = 0.
Proof. by rewrite mxE. Qed.

Lemma partition_two u : partition e (two u) = 1 + e (u 0 0).
Proof.
by rewrite /partition big_ord_recl big_ord1 addrC two0 two1 (e0 exp_ln).
Qed.

Lemma dot_two (w : 'rV[R]_2) v : dot w (two v) = w 0 0 * v 0 0.
Proof. by rewrite /dot big_ord_recl big_ord1 two0 two1 mulr0 addr0. Qed.

Lemma twoD u v : two (u + v) = two u + two v.
Proof. by apply/rowP=> k; rewrite !mxE; case: ifP; rewrite ?addr0. Qed.

Lemma twoZ a u : two (a *: u) = a *: two u.
Proof. by apply/rowP=> k; rewrite !mxE; case: ifP; rewrite ?mulr0. Qed.

Lemma twoN u : two (- u) = - two u.
Proof. by rewrite -!scaleN1r twoZ. Qed.

Theorem C17_logistic f :
  has_gradient z (fun i => logistic (y i)) (sigma_gradient f) f
  /\ convex_at z (fun i => logistic (y i)) (sigma_gradient f) f.
Proof.
pose t i : 'rV[R]_2 := two (y i)%:M.
have lE i u : logistic (y i) u = cross_entropy e ln (t i) (two u).
  rewrite /logistic /cross_entropy partition_two dot_two two0.
  by rewrite mxE eqxx mulr1n.
have gE i v : dot (sigma_gradient f i) v
    = dot (gradient e z t (two \o f) i) (two v).
  rewrite dot_two [LHS]/dot big_ord1 mxE eqxx mulr1n coordB two0 !mxE eqxx.
  by rewrite partition_two mulr1n.
have [grad convex] := C17_softmax exp_ln z t (two \o f).
split=> i v; last by rewrite !lE gE twoD twoN; apply: convex.
have [e0 [C [e0_gt0 le]]] := grad i (two v); exists e0, C; split=> // a /le.
by rewrite /= !lE gE twoD twoZ.
Qed.

End Logistic.
