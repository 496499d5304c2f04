(******************************************************************************)
(* C17, other losses: example i has a loss l i of its own, a function of the  *)
(* net's output there. All that is asked of it at f_i is a gradient g_i, with *)
(* an error of second order along every direction:                            *)
(*      |l i (f_i + e v) - l i f_i - e <g_i, v>| <= C e^2 for |e| <= e0.      *)
(* Group sums of the gradients play the part of the residuals.                *)
(*                                                                            *)
(*   total l f == sum_i l i (f (z_i)), for any function f of the input        *)
(* has_gradient l f g == the condition above, at every f (z_i)                *)
(*  convex_at l f g == l i v >= l i (f (z_i)) + <g_i, v - f (z_i)>, all v     *)
(*   C17_step == a direction of outputs with <g, v> < 0 in sum has a step of  *)
(*               strictly lower total loss                                    *)
(*  C17_one_unit == if the gradients of some group do not sum to 0, one unit  *)
(*               more lowers the total loss; groups are of equal features     *)
(*  C17_add_unit == the same for a net                                        *)
(*  C17_reassignment == so an idle circuit can be reassigned to lower it      *)
(*  C17_stationary == if they all sum to 0 and the losses are convex, no      *)
(*               function of the input has a lower total loss                 *)
(*  C17_equivalents == C6 for such losses: some wider net is better iff one   *)
(*               more unit is, iff some group's gradients do not sum to 0     *)
(*   C17_no_idle == then a minimiser has no train-idle circuit                *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c4_separating_unit c7_reassignment.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Losses.

Variables (R : realFieldType) (d m N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (l : 'I_N -> 'rV[R]_m -> R).
Variable g : 'I_N -> 'rV[R]_m.
Implicit Types f : 'rV[R]_d -> 'rV[R]_m.

Definition total f : R := \sum_i l i (f (z i)).

Definition has_gradient f := forall i v, exists e0 C : R, 0 < e0 /\
  forall e, `|e| <= e0 ->
  `|l i (f (z i) + e *: v) - l i (f (z i)) - e * dot (g i) v| <= C * e ^+ 2.

Definition convex_at f := forall i v,
  l i (f (z i)) + dot (g i) (v - f (z i)) <= l i v.

(* One e0 and one C serve all examples of a sequence.                         *)
Lemma uniform f (v : 'I_N -> 'rV[R]_m) (s : seq 'I_N) : has_gradient f ->
  exists e0 C : R, 0 < e0 /\ forall e, 0 < e -> e <= e0 ->
  \sum_(i <- s) l i (f (z i) + e *: v i)
  <= \sum_(i <- s) l i (f (z i)) + e * (\sum_(i <- s) dot (g i) (v i))
     + C * e ^+ 2.
Proof.
move=> grad; elim: s => [|i s [e1 [C1 [e1_gt0 le1]]]].
  exists 1, 0; split=> [|e _ _]; first exact: ltr01.
  by rewrite !big_nil mulr0 mul0r !addr0.
have [e2 [C2 [e2_gt0 le2]]] := grad i (v i).
exists (Num.min e1 e2), (C1 + C2); split; first by rewrite lt_min e1_gt0.
move=> e e_gt0; rewrite le_min => /andP[/(le1 e e_gt0) le_s e_le2].
have := le2 e; rewrite (gtr0_norm e_gt0) => /(_ e_le2) /ler_normlW le_i.
rewrite !big_cons; rewrite !lerBlDr in le_i.
apply: le_trans (lerD le_i le_s) _; rewrite le_eqVlt; apply/orP; left.
move: (\sum_(j <- s) l j (f (z j))) (\sum_(j <- s) dot _ _) => B D.
by move: (dot _ _) (l i _) => t u; apply/eqP; ring.
Qed.

Theorem C17_step f (v : 'I_N -> 'rV[R]_m) : has_gradient f ->
  \sum_i dot (g i) (v i) < 0 ->
  exists e, \sum_i l i (f (z i) + e *: v i) < total f.
Proof.
move=> grad; set D := \sum_i _ => D_lt0.
have [e0 [C [e0_gt0 le_e]]] := uniform v (index_enum _) grad.
have K_gt0 : 0 < `|C| + 1 by rewrite ltr_wpDl.
pose e := Num.min e0 (- D / (`|C| + 1)).
have e_gt0 : 0 < e by rewrite lt_min e0_gt0 divr_gt0 ?oppr_gt0.
have e_le0 : e <= e0 by rewrite ge_min lexx.
exists e; apply: le_lt_trans (le_e e e_gt0 e_le0) _.
rewrite -/D -/(total f) -addrA gtrDl.
have -> : e * D + C * e ^+ 2 = e * (D + C * e) by ring.
rewrite pmulr_rlt0 // -ltrBrDl sub0r.
apply: (@le_lt_trans _ _ (`|C| * e)).
  by rewrite ler_wpM2r ?ler_norm ?ltW.
apply: (@lt_le_trans _ _ ((`|C| + 1) * e)).
  by rewrite ltr_pM2r // ltrDl.
by rewrite mulrC -ler_pdivlMr // ge_min lexx orbT.
Qed.

(* The unit may read any features of the input: those of a layer, in a deep   *)
(* net, and add to any function of it: the pre-activations above that layer.  *)
Theorem C17_one_unit f k (feat : 'rV[R]_d -> 'rV[R]_k) : has_gradient f ->
  (exists i, gsum (feat \o z) g (feat (z i)) != 0) ->
  exists w b a, total (fun x => f x + relu (dot w (feat x) + b) *: a) < total f.
Proof.
move=> grad /(@C4_separating_unit _ _ _ _ (feat \o z)) [w [b]].
set s := \sum_i _ => s_neq0; pose phi i := relu (dot w (feat (z i)) + b).
have sE : normsq s = \sum_i phi i * dot s (g i).
  under [RHS]eq_bigr => i _ do rewrite -dotZr.
  rewrite -dot_sumr -/s /normsq /dot.
  by apply: eq_bigr => j _; rewrite expr2.
clearbody s; have [|e lt_e] := @C17_step _ (fun i => phi i *: - s) grad.
  have -> : \sum_i dot (g i) (phi i *: - s) = - normsq s.
    rewrite sE -sumrN; apply: eq_bigr => i _.
    by rewrite -scaleN1r !dotZr mulN1r mulrN dotC.
  by rewrite oppr_lt0 normsq_gt0.
exists w, b, (e *: - s); apply: le_lt_trans lt_e; rewrite le_eqVlt.
by apply/orP; left; apply/eqP/eq_bigr => i _; rewrite !scalerA mulrC.
Qed.

Variable n : nat.
Implicit Types (theta : net R d m n) (J : {set 'I_n}).

Theorem C17_add_unit theta : has_gradient (eval theta) ->
  (exists i, gsum z g (z i) != 0) ->
  exists w b a, total (eval (add_unit theta w b a)) < total (eval theta).
Proof.
move=> grad /(@C17_one_unit _ _ id grad)[w [b [a lt_a]]].
exists w, b, a; apply: le_lt_trans lt_a; rewrite le_eqVlt.
by apply/orP; left; apply/eqP/eq_bigr => i _; rewrite eval_add_unit.
Qed.

Theorem C17_reassignment theta J v j : idle_at z theta J v -> j \in J ->
  has_gradient (eval theta) -> (exists i, gsum z g (z i) != 0) ->
  exists w b a, total (eval (set_unit (hardcode theta J v) j w b a))
                < total (eval theta).
Proof.
move=> idleJ jJ grad g_neq0; pose cut := hardcode theta J v.
have same i : eval cut (z i) = eval theta (z i).
  by rewrite eval_hardcode (eval_circuit _ J) idleJ.
have grad_cut : has_gradient (eval cut) by move=> i; rewrite same; apply: grad.
have [w [b [a lt_a]]] := C17_add_unit grad_cut g_neq0.
exists w, b, a; have -> : total (eval theta) = total (eval cut).
  by apply: eq_bigr => i _; rewrite same.
apply: le_lt_trans lt_a; rewrite le_eqVlt; apply/orP; left; apply/eqP.
by apply: eq_bigr => i _; rewrite eval_set_unit //= jJ.
Qed.

Theorem C17_stationary f : convex_at f -> (forall i, gsum z g (z i) = 0) ->
  forall f', total f <= total f'.
Proof.
move=> convex g0 f'; rewrite -subr_ge0.
apply: (@le_trans _ _ (\sum_i dot (g i) (f' (z i) - f (z i)))); last first.
  rewrite /total -sumrB; apply: ler_sum => i _.
  by rewrite lerBrDl; apply: convex.
suff -> : \sum_i dot (g i) (f' (z i) - f (z i)) = 0 by [].
rewrite /dot exchange_big big1 //= => k _.
pose h u : R := f' u 0 k - f u 0 k.
transitivity (\sum_i h (z i) *: (g i 0 k : R^o)).
  by apply: eq_bigr => i _; rewrite coordB mulrC.
rewrite (sum_gmean z (fun i => g i 0 k : R^o) h) big1 // => i _.
by rewrite -gmeanE /gmean g0 scaler0 mxE scaler0.
Qed.

Theorem C17_equivalents theta :
  has_gradient (eval theta) -> convex_at (eval theta) ->
  [<-> exists n' (theta' : net R d m n'),
         (n < n')%N /\ total (eval theta') < total (eval theta);
       exists w b a, total (eval (add_unit theta w b a)) < total (eval theta);
       exists i, gsum z g (z i) != 0].
Proof.
move=> grad convex.
have to3 n' (theta' : net R d m n') :
    total (eval theta') < total (eval theta) -> exists i, gsum z g (z i) != 0.
  case: (pickP (fun i => gsum z g (z i) != 0)) => [i|g0]; first by exists i.
  rewrite ltNge C17_stationary // => i; apply/eqP; exact: negbFE (g0 i).
have to2 := C17_add_unit grad.
tfae=> [[n' [theta' [_ /to3/to2]]]|[w [b [a /to3]]]|/to2[w [b [a lt_a]]]] //.
by exists n.+1, (add_unit theta w b a).
Qed.

Theorem C17_no_idle theta J : has_gradient (eval theta) ->
  (exists i, gsum z g (z i) != 0) ->
  (forall theta', total (eval theta) <= total (eval theta')) ->
  J != set0 -> ~ train_idle z theta J.
Proof.
move=> grad g_neq0 min_theta /set0Pn[j jJ] [v idleJ].
have [w [b [a]]] := C17_reassignment idleJ jJ grad g_neq0.
by rewrite ltNge min_theta.
Qed.

End Losses.
