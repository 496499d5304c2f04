(******************************************************************************)
(* C10, detector size: the least number of units of a train-idle circuit that *)
(* fires at x is 1 iff x is outside the convex hull of the training inputs,   *)
(* and at most 3 if x is no training input. No circuit fires at a training    *)
(* input. For 'exists', the outputs need a dimension: 0 < m.                  *)
(*                                                                            *)
(*      in_hull z x == x is a convex combination of the inputs z_i            *)
(*           farkas == t is a nonnegative combination of the v_i, or a        *)
(*                    half-space holds the v_i and not t                      *)
(*  C10_train_input == no circuit fires at a training input                   *)
(*      C10_in_hull == no single unit fires inside the hull                   *)
(*     C10_one_unit == some single unit fires at x iff x is outside the hull  *)
(*         C10_bump == 3 units fire at any x that is no training input        *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c4_separating_unit.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Farkas.

Variables (R : realFieldType) (D : nat).

Lemma farkas N (v : 'I_N -> 'rV[R]_D) t :
  (exists2 l : 'I_N -> R, forall i, 0 <= l i & \sum_i l i *: v i = t)
  \/ (exists2 w, forall i, dot w (v i) <= 0 & 0 < dot w t).
Proof.
elim: N => [|N IHN] in v t *.
  have [->|t_neq0] := eqVneq t 0.
    by left; exists (fun=> 0) => //; rewrite big_ord0.
  right; exists t => [[]//|].
  suff <- : normsq t = dot t t by rewrite normsq_gt0.
  by apply: eq_bigr => k _; rewrite expr2.
pose v0 := v ord0; pose vr i := v (lift ord0 i).
have [[l l_ge0 lt]|[w wv wt]] := IHN vr t.
  left; exists (fun k => if unlift ord0 k is Some i then l i else 0).
    by move=> k; case: unlift.
  rewrite big_ord_recl unlift_none scale0r add0r -lt.
  by apply: eq_bigr => i _; rewrite liftK.
have [wv0|wv0] := lerP (dot w v0) 0.
  right; exists w => // k; case: (unliftP ord0 k) => [i|] -> //.
  exact: wv.
pose pr x := x - (dot w x / dot w v0) *: v0.
have wpr x : dot w (pr x) = 0.
  by rewrite dotBr dotZr divfK ?subrr // gt_eqF.
have [[l l_ge0 lt]|[w' w'v w't]] := IHN (pr \o vr) (pr t).
  left; pose l0 := (dot w t - \sum_i l i * dot w (vr i)) / dot w v0.
  exists (fun k => if unlift ord0 k is Some i then l i else l0).
    move=> k; case: unlift => [i|] //; rewrite divr_ge0 ?(ltW wv0) // subr_ge0.
    rewrite (le_trans _ (ltW wt)) // -oppr_ge0 -sumrN sumr_ge0 // => i _.
    by rewrite -mulrN mulr_ge0 ?oppr_ge0.
  rewrite big_ord_recl unlift_none; under eq_bigr do rewrite liftK.
  have -> : t = pr t + (dot w t / dot w v0) *: v0 by rewrite subrK.
  rewrite -lt /=; under [in RHS]eq_bigr do rewrite scalerBr scalerA mulrA.
  rewrite sumrB -/v0 /l0 mulrBl scalerBl [(\sum_i l i * _) / _]mulr_suml.
  rewrite scaler_suml addrC -!addrA.
  by rewrite [- _ + _]addrC.
right; pose w2 := w' - (dot w' v0 / dot w v0) *: w.
have w2v0 : dot w2 v0 = 0.
  by rewrite dotC dotBr dotZr !(dotC v0) divfK ?subrr // gt_eqF.
have w2pr x : dot w2 x = dot w' (pr x).
  transitivity (dot w2 (pr x)); first by rewrite dotBr dotZr w2v0 mulr0 subr0.
  by rewrite dotC dotBr dotZr !(dotC (pr x)) wpr mulr0 subr0.
exists w2; last by rewrite w2pr.
move=> k; case: (unliftP ord0 k) => [i|] ->; last by rewrite w2v0.
by rewrite w2pr; apply: w'v.
Qed.

End Farkas.

Section DetectorSize.

Variables (R : realFieldType) (d m N : nat) (z : 'I_N -> 'rV[R]_d).
Implicit Types x : 'rV[R]_d.

Definition in_hull x := exists l : 'I_N -> R,
  [/\ forall i, 0 <= l i, \sum_i l i = 1 & \sum_i l i *: z i = x].

Theorem C10_train_input n (theta : net R d m n) J i : ~ fires z theta J (z i).
Proof. by move=> [v idleJ]; rewrite idleJ eqxx. Qed.

Theorem C10_in_hull n (theta : net R d m n) j x :
  in_hull x -> ~ fires z theta [set j] x.
Proof.
move=> [l [l_ge0 l1 lx]] [v idlej]; apply/negP; rewrite negbK.
pose p u := dot (inw theta j) u + bias theta j.
have px : p x = \sum_i l i * p (z i).
  under eq_bigr do rewrite mulrDr.
  rewrite big_split -mulr_suml l1 mul1r /p -lx dot_sumr; congr (_ + _).
  by apply: eq_bigr => i _; rewrite dotZr.
have [i0 _] : exists i : 'I_N, true.
  have [i _ | no_i] := pickP (fun i : 'I_N => true); first by exists i.
  move: l1; rewrite big_pred0 => [/eqP|i]; last by have := no_i i.
  by rewrite eq_sym oner_eq0.
move: idlej; rewrite /idle_at /circuit_out big_set1 => idlej.
have {}idlej i : relu (p (z i)) *: outw theta j = v.
  by rewrite -(idlej i) big_set1.
rewrite /act -/(p x); have [a0|a_neq0] := eqVneq (outw theta j) 0.
  by rewrite -(idlej i0) a0 !scaler0.
have same i : relu (p (z i)) = relu (p (z i0)).
  apply/eqP; rewrite -subr_eq0 -[_ == _]orbF -(negbTE a_neq0) -scaler_eq0.
  by rewrite scalerBl !idlej subrr.
rewrite -(idlej i0); apply/eqP; congr (_ *: _).
have [p0_le0|p0_gt0] := lerP (p (z i0)) 0.
  rewrite (relu_0 p0_le0) relu_0 // px -oppr_ge0 -sumrN sumr_ge0 // => i _.
  rewrite -mulrN mulr_ge0 // oppr_ge0 leNgt -relu_gt0 same.
  by rewrite (relu_0 p0_le0) ltxx.
congr relu; rewrite px (eq_bigr (fun i => l i * p (z i0))) => [|i _].
  by rewrite -mulr_suml l1 mul1r.
have p_gt0 : 0 < p (z i) by rewrite -relu_gt0 same relu_gt0.
by have := same i; rewrite !relu_id ?ltW // => ->.
Qed.

Lemma dot_row_mx p (a b : 'rV[R]_p) (u v : 'rV[R]_d) :
  dot (row_mx a u) (row_mx b v) = dot a b + dot u v.
Proof.
rewrite /dot big_split_ord /=; congr (_ + _); apply: eq_bigr => k _.
  by rewrite !row_mxEl.
by rewrite !row_mxEr.
Qed.

Lemma separate x : in_hull x \/
  exists w b, (forall i, dot w (z i) + b <= 0) /\ 0 < dot w x + b.
Proof.
pose lift u : 'rV[R]_(1 + d) := row_mx 1%:M u.
have dotE w u : dot w (lift u) = dot (rsubmx w) u + dot (lsubmx w) 1%:M.
  by rewrite -{1}[w]hsubmxK dot_row_mx addrC.
have [[l l_ge0 lx]|[w wz wx]] := farkas (lift \o z) (lift x); [left|right].
  exists l; split=> //.
    have /rowP/(_ (lshift d ord0)) := lx; rewrite row_mxEl mxE eqxx summxE.
    rewrite -[true%:R]/1 => <-; apply: eq_bigr => i _.
    by rewrite mxE row_mxEl mxE eqxx mulr1.
  apply/rowP=> k; have /rowP/(_ (rshift 1 k)) := lx; rewrite row_mxEr => <-.
  rewrite !summxE; apply: eq_bigr => i _.
  by rewrite mxE [RHS]mxE row_mxEr.
exists (rsubmx w), (dot (lsubmx w) 1%:M); rewrite -dotE; split=> // i.
by rewrite -dotE; apply: wz.
Qed.

Lemma nonzero_row : (0 < m)%N -> exists a : 'rV[R]_m, a != 0.
Proof.
move=> m_gt0; exists (const_mx 1); apply/eqP=> /rowP/(_ (Ordinal m_gt0))/eqP.
by rewrite !mxE oner_eq0.
Qed.

Theorem C10_one_unit x : (0 < m)%N ->
  (exists theta : net R d m 1, fires z theta [set: 'I_1] x) <-> ~ in_hull x.
Proof.
move=> /nonzero_row[a a_neq0]; split=> [[theta fires_x] in_x|not_in].
  apply: (C10_in_hull (theta := theta) (j := ord0) in_x).
  suff -> : [set ord0] = [set: 'I_1] by [].
  by apply/setP=> j; rewrite !inE ord1.
have [//|[w [b [wz wx]]]] := separate x.
exists (Net (fun=> w) (fun=> b) (fun=> a) 0), 0 => [i|]; rewrite /circuit_out.
  by rewrite big1 // => j _; rewrite /act /= relu_0 ?scale0r ?wz.
rewrite (big_pred1 ord0) => [|j]; last by rewrite inE [j]ord1 /= eqxx.
by rewrite scaler_eq0 negb_or a_neq0 gt_eqF // relu_gt0.
Qed.

Definition bump (h t : R) := relu (t + h) - relu t *+ 2 + relu (t - h).

Lemma bump0 h : 0 <= h -> bump h 0 = h.
Proof.
move=> h_ge0; rewrite /bump add0r relu_id // [relu 0]relu_0 // mul0rn subr0.
by rewrite relu_0 ?addr0 // sub0r oppr_le0.
Qed.

Lemma bump_far h t : 0 <= h -> h <= `|t| -> bump h t = 0.
Proof.
move=> h_ge0; rewrite /bump; have [t_ge0|/ltW t_le0] := lerP 0 t => far.
  rewrite ger0_norm // in far.
  have th_ge0 : 0 <= t - h by rewrite subr_ge0.
  have ht_ge0 : 0 <= t + h by rewrite addr_ge0.
  by rewrite !relu_id //; ring.
rewrite ler0_norm // in far.
rewrite (relu_0 t_le0) mul0rn subr0 !relu_0 ?addr0 ?subr_le0 //.
  by rewrite (le_trans t_le0).
by rewrite -lerBrDr sub0r lerNr.
Qed.

(* A separating direction and a radius below every distance to x.             *)
Lemma clearance (I : finType) (p : I -> R) : (forall i, p i != 0) ->
  exists2 h, 0 < h & forall i, h <= `|p i|.
Proof.
move=> p_neq0; suff [h h_gt0 h_le] :
    exists2 h, 0 < h & forall i, i \in enum I -> h <= `|p i|.
  by exists h => // i; rewrite h_le ?mem_enum.
elim: (enum I) => [|i s [h h_gt0 h_le]]; first by exists 1.
exists (Num.min h `|p i|); first by rewrite lt_min h_gt0 normr_gt0 p_neq0.
move=> j; rewrite inE ge_min => /predU1P[->|/h_le -> //].
by rewrite lexx orbT.
Qed.

Theorem C10_bump x : (0 < m)%N -> (forall i, z i != x) ->
  exists theta : net R d m 3, fires z theta [set: 'I_3] x.
Proof.
move=> /nonzero_row[a a_neq0] z_neq.
have [t sep] := C4_nonzero_dot [seq z i - x | i <- enum 'I_N].
pose w := moment d t; pose p u := dot w u - dot w x.
have p_neq0 i : p (z i) != 0.
  rewrite /p -dotBr sep ?subr_eq0 //; apply: map_f; exact: mem_enum.
have [h h_gt0 h_le] := clearance p_neq0.
exists (Net (fun=> w) (fun k => nth 0 [:: h; 0; - h] k - dot w x)
            (fun k => nth 0 [:: 1; - 2%:R; 1] k *: a) 0).
have outE u : circuit_out (Net (fun=> w)
    (fun k : 'I_3 => nth 0 [:: h; 0; - h] k - dot w x)
    (fun k : 'I_3 => nth 0 [:: 1; - 2%:R; 1] k *: a) 0) setT u
    = bump h (p u) *: a.
  rewrite /circuit_out (eq_bigl xpredT) => [|j]; last by rewrite inE.
  rewrite !big_ord_recl big_ord0 addr0 /act /= !scalerA -!scalerDl /bump.
  have -> : dot w u + (h - dot w x) = p u + h by rewrite /p; ring.
  have -> : dot w u + (0 - dot w x) = p u by rewrite /p; ring.
  have -> : dot w u + (- h - dot w x) = p u - h by rewrite /p; ring.
  by congr (_ *: _); rewrite !mulr1 mulrN mulr_natr addrA.
exists 0 => [i|]; rewrite outE.
  by rewrite (bump_far (ltW h_gt0) (h_le i)) scale0r.
by rewrite /p subrr (bump0 (ltW h_gt0)) scaler_eq0 negb_or a_neq0 gt_eqF.
Qed.

End DetectorSize.
