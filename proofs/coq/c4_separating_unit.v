(******************************************************************************)
(* C4, the separating unit: if the residuals of some group of equal inputs do *)
(* not sum to 0, some ReLU unit has a nonzero inner product with them.        *)
(*                                                                            *)
(*        moment t == the direction (1, t, t^2, ..)                           *)
(*  separating w z == distinct inputs have distinct projections on w          *)
(*  C4_nonzero_dot == some t has moment t orthogonal to none of finitely many *)
(*                    nonzero vectors                                         *)
(*    C4_direction == some moment t is separating                             *)
(*    C4_threshold == for any separating w: the threshold just below the      *)
(*                    highest projected group whose residuals do not sum to 0 *)
(* C4_separating_unit == the claim, for residuals in any lmodType             *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Directions.

Variables (R : realFieldType) (d : nat).

Definition moment (t : R) : 'rV[R]_d := \row_k t ^+ k.

Lemma dot_moment t (v : 'rV[R]_d) : dot (moment t) v = (rVpoly v).[t].
Proof.
rewrite horner_poly; apply: eq_bigr => k _.
by rewrite mxE mulrC valK.
Qed.

Lemma rVpoly_eq0 (v : 'rV[R]_d) : (rVpoly v == 0) = (v == 0).
Proof.
apply/eqP/eqP => [v0|->]; last exact: linear0.
by rewrite -[v]rVpolyK v0 linear0.
Qed.

Lemma nonroot (p : {poly R}) : p != 0 -> exists t, p.[t] != 0.
Proof.
move=> p_neq0; pose rs := [seq i%:R : R | i <- iota 0 (size p)].
have uniq_rs : uniq rs.
  rewrite map_inj_uniq ?iota_uniq // => i j /eqP.
  by rewrite eqr_nat => /eqP.
case: (boolP (all (root p) rs)) => [roots|/allPn[t _ rt]]; last by exists t.
by have := max_poly_roots p_neq0 roots uniq_rs; rewrite size_map size_iota ltnn.
Qed.

Lemma C4_nonzero_dot (s : seq 'rV[R]_d) :
  exists t, forall v, v \in s -> v != 0 -> dot (moment t) v != 0.
Proof.
have /nonroot[t pt] : \prod_(v <- s | v != 0) rVpoly v != 0.
  by rewrite prodf_seq_neq0; apply/allP => v _; rewrite rVpoly_eq0 implybb.
exists t => v vs v_neq0; apply: contraNneq pt => vt0.
rewrite horner_prod prodf_seq_eq0; apply/hasP; exists v => //.
by rewrite v_neq0 -dot_moment vt0 eqxx.
Qed.

Variables (N : nat) (z : 'I_N -> 'rV[R]_d).

Definition separating (w : 'rV[R]_d) :=
  forall i j, dot w (z i) = dot w (z j) -> z i = z j.

Theorem C4_direction : exists t, separating (moment t).
Proof.
pose s := [seq z ij.1 - z ij.2 | ij <- enum {: 'I_N * 'I_N}].
have [t sep] := C4_nonzero_dot s.
exists t => i j eq_ij; apply/eqP; rewrite -subr_eq0; apply/negPn/negP => neq_ij.
have /sep/(_ neq_ij) : z i - z j \in s.
  by apply/mapP; exists (i, j); rewrite ?mem_enum.
by rewrite dotBr eq_ij subrr eqxx.
Qed.

End Directions.

Section Threshold.

Variable R : realFieldType.

Lemma just_below (t : R) (s : seq R) :
  exists2 h, h < t & forall x, x \in s -> x < t -> x <= h.
Proof.
elim: s => [|x s [h ht hs]].
  by exists (t - 1); rewrite // gtrDl ltrN10.
have [xt|tx] := ltP x t; last first.
  by exists h => // u; rewrite inE => /predU1P[->|/hs //]; rewrite ltNge tx.
exists (Num.max h x); first by rewrite gt_max ht.
move=> u; rewrite inE le_max => /predU1P[->|us /(hs _ us) ->//].
by rewrite lexx orbT.
Qed.

Variables (V : lmodType R) (d N : nat) (z : 'I_N -> 'rV[R]_d) (r : 'I_N -> V).

Theorem C4_threshold w : separating z w -> (exists i, gsum z r (z i) != 0) ->
  exists b, \sum_i relu (dot w (z i) + b) *: r i != 0.
Proof.
move=> sep [i1 gi1]; pose p i := dot w (z i).
have [i0 gi0 i0_max] := @arg_maxP _ _ _ i1 (fun i => gsum z r (z i) != 0) p gi1.
have [h h_lt h_ge] := just_below (p i0) (map p (enum 'I_N)).
exists (- h); rewrite (sum_gmean z r (fun u => relu (dot w u - h))).
rewrite (bigID (fun i => z i == z i0)) /= addrC big1 ?add0r => [|i neq_i].
  rewrite (eq_bigr (fun=> relu (p i0 - h) *: gmean z r (z i0))); last first.
    by move=> i /eqP ->.
  rewrite sumr_const -scaler_nat scalerA scaler_eq0 gmean_eq0 (negbTE gi0) orbF.
  rewrite mulf_eq0 negb_or (nu_neq0 z i0) /=.
  by rewrite gt_eqF // relu_gt0 subr_gt0.
have [lt_i|gt_i|/sep eq_i] := ltgtP (p i) (p i0).
- rewrite relu_0 ?scale0r // subr_le0 h_ge //.
  by apply: map_f; rewrite mem_enum.
- apply/eqP; rewrite scaler_eq0 gmean_eq0; apply/orP; right.
  by apply: contraTT gt_i => /i0_max; rewrite -leNgt.
- by rewrite eq_i eqxx in neq_i.
Qed.

Theorem C4_separating_unit : (exists i, gsum z r (z i) != 0) ->
  exists w b, \sum_i relu (dot w (z i) + b) *: r i != 0.
Proof.
by move=> rne0; have [t sep] := C4_direction z; exists (moment _ t);
  apply: C4_threshold.
Qed.

End Threshold.
