(******************************************************************************)
(* C16, the first-order form: without a lane, the units of a train-idle       *)
(* circuit of one hidden layer lower the loss through the layer above them,   *)
(* where the backpropagated gradients do not cancel. For any loss with a      *)
(* gradient in the outputs, as in C17.                                        *)
(*                                                                            *)
(*     clear net h == no unit of the stack has pre-activation 0 on the values *)
(*                    h below it                                              *)
(*    push net h v == the derivative of run net at h along v                  *)
(*    pull net h g == g backpropagated through the stack, at h                *)
(* above net A c p == the output as a function of the pre-activations p of    *)
(*                    the layer below the stack: run net (relu p) *m A + c    *)
(* delta net A p g == the derivative of the loss by p, backpropagated from    *)
(*                    its derivative g by the output                          *)
(*    two_layers feat W1 b1 W2 b2 net A c x == the net: feat x are the values *)
(*                    below two hidden layers, the stack net above them, and  *)
(*                    the affine output A, c                                  *)
(*    C16_linear == where clear, run net is affine along every direction, in  *)
(*                    an interval about 0                                     *)
(*  C16_backpropagation == so delta is the gradient of the loss by p          *)
(*    C16_squared == the squared loss has the gradient 2 (f - y)              *)
(* C16_first_order == a circuit of the lower of the two layers that sends one *)
(*                    value up in training can be reassigned to lower the     *)
(*                    loss, if delta does not sum to 0 on some group of       *)
(*                    examples with equal feat                                *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c10_detector_size c16_depth c17_other_losses.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Stacks.

Variable R : realFieldType.

Definition hidden k (p : 'rV[R]_k) : 'rV[R]_k := map_mx (@relu R) p.

(* v where p is positive, else 0: the derivative of relu at p, along v.       *)
Definition gate k (p v : 'rV[R]_k) : 'rV[R]_k :=
  \row_i (if 0 < p 0 i then v 0 i else 0).

Fixpoint clear p k (net : deep R p k) : 'rV[R]_k -> Prop :=
  match net in deep _ _ k return 'rV[R]_k -> Prop with
  | Last => fun=> True
  | Layer _ _ W b rest => fun h =>
      (forall i, (h *m W + b) 0 i != 0) /\ clear rest (hidden (h *m W + b))
  end.

Fixpoint push p k (net : deep R p k) : 'rV[R]_k -> 'rV[R]_k -> 'rV[R]_p :=
  match net in deep _ _ k return 'rV[R]_k -> 'rV[R]_k -> 'rV[R]_p with
  | Last => fun _ v => v
  | Layer _ _ W b rest => fun h v =>
      push rest (hidden (h *m W + b)) (gate (h *m W + b) (v *m W))
  end.

Fixpoint pull p k (net : deep R p k) : 'rV[R]_k -> 'rV[R]_p -> 'rV[R]_k :=
  match net in deep _ _ k return 'rV[R]_k -> 'rV[R]_p -> 'rV[R]_k with
  | Last => fun _ g => g
  | Layer _ _ W b rest => fun h g =>
      gate (h *m W + b) (pull rest (hidden (h *m W + b)) g) *m W^T
  end.

Lemma dotE k (u v : 'rV[R]_k) : dot u v = (u *m v^T) 0 0.
Proof. by rewrite mxE; apply: eq_bigr => i _; rewrite mxE. Qed.

Lemma dot_mulmx k p (u : 'rV[R]_p) (W : 'M[R]_(k, p)) v :
  dot (u *m W^T) v = dot u (v *m W).
Proof. by rewrite !dotE trmx_mul mulmxA. Qed.

Lemma dot_gate k (p u v : 'rV[R]_k) : dot (gate p u) v = dot u (gate p v).
Proof.
by apply: eq_bigr => i _; rewrite !mxE; case: ifP; rewrite ?mulr0 ?mul0r.
Qed.

Lemma pull_push p k (net : deep R p k) h g v :
  dot (pull net h g) v = dot g (push net h v).
Proof.
elim: net => [//|{}k l W b rest IH] /= in h v *.
by rewrite dot_mulmx dot_gate IH.
Qed.

Lemma hidden_linear k (p v : 'rV[R]_k) : (forall i, p 0 i != 0) ->
  exists e0, 0 < e0 /\ forall e, `|e| <= e0 ->
  hidden (p + e *: v) = hidden p + e *: gate p v.
Proof.
move=> p_neq0; pose size i := 1 + `|v 0 i|.
have size_gt0 i : 0 < size i by rewrite ltr_wpDr.
have [i|e0 e0_gt0 e0_le] := @clearance _ _ (fun i => p 0 i / size i).
  by rewrite mulf_neq0 ?p_neq0 // invr_eq0 gt_eqF.
exists e0; split=> // e e_le; apply/rowP=> i; rewrite !mxE.
have q_lt : `|e * v 0 i| < `|p 0 i|.
  have := e0_le i.
  rewrite normf_div (gtr0_norm (size_gt0 _)) ler_pdivlMr // /size.
  rewrite mulrDr mulr1 normrM; apply: lt_le_trans.
  by rewrite (le_lt_trans (ler_wpM2r _ e_le)) // ltrDr.
move: q_lt; set q := e * _; have [p_gt0|p_lt0|p0] := ltrgt0P (p 0 i).
- rewrite ltr_norml => /andP[q_gt _].
  rewrite -/q !relu_id ?(ltW p_gt0) //.
  by rewrite addrC -lerBlDr sub0r ltW.
- rewrite ltr_norml => /andP[_ q_lt].
  rewrite mulr0 addr0 !relu_0 ?(ltW p_lt0) //.
  by rewrite addrC -lerBrDr sub0r ltW.
- by have := p_neq0 i; rewrite p0 eqxx.
Qed.

Theorem C16_linear p k (net : deep R p k) h v : clear net h ->
  exists e0, 0 < e0 /\ forall e, `|e| <= e0 ->
  run net (h + e *: v) = run net h + e *: push net h v.
Proof.
elim: net => [|{}k l W b rest IH] /= in h v *.
  by exists 1; split; first exact: ltr01.
move=> [P_neq0 rest_clear].
have [e1 [e1_gt0 lin1]] := hidden_linear (v *m W) P_neq0.
have [e2 [e2_gt0 lin2]] := IH _ (gate (h *m W + b) (v *m W)) rest_clear.
exists (Num.min e1 e2); split=> [|e]; first by rewrite lt_min e1_gt0.
rewrite le_min => /andP[/lin1 E1 /lin2 <-]; rewrite -E1 mulmxDl -scalemxAl.
by rewrite addrAC.
Qed.

Section Above.

Variables (k p m : nat) (net : deep R p k) (A : 'M[R]_(p, m)) (c : 'rV[R]_m).

Definition above (h : 'rV[R]_k) : 'rV[R]_m := run net (hidden h) *m A + c.

Definition delta (h : 'rV[R]_k) (g : 'rV[R]_m) : 'rV[R]_k :=
  gate h (pull net (hidden h) (g *m A^T)).

Theorem C16_backpropagation d N (z : 'I_N -> 'rV[R]_d)
    (l : 'I_N -> 'rV[R]_m -> R) g (pre : 'rV[R]_d -> 'rV[R]_k) :
  (forall i j, pre (z i) 0 j != 0) ->
  (forall i, clear net (hidden (pre (z i)))) ->
  has_gradient z l g (above \o pre) ->
  has_gradient z (fun i => l i \o above) (fun i => delta (pre (z i)) (g i)) pre.
Proof.
move=> pre_neq0 pre_clear grad i v; pose u := gate (pre (z i)) v.
have [e1 [e1_gt0 lin1]] := hidden_linear v (pre_neq0 i).
have [e2 [e2_gt0 lin2]] := C16_linear u (pre_clear i).
have [e3 [C [e3_gt0 le_C]]] := grad i (push net (hidden (pre (z i))) u *m A).
exists (Num.min e1 (Num.min e2 e3)), C; split=> [|e].
  by rewrite !lt_min e1_gt0 e2_gt0.
rewrite !le_min => /and3P[/lin1 E1 /lin2 E2 /le_C]; apply: le_trans.
have outE : above (pre (z i) + e *: v) = above (pre (z i))
    + e *: (push net (hidden (pre (z i))) u *m A).
  by rewrite /above E1 E2 mulmxDl -scalemxAl addrAC.
by rewrite /= outE dot_gate pull_push dot_mulmx.
Qed.

End Above.

Theorem C16_squared d m N (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m) f :
  has_gradient z (fun i v => normsq (v - y i))
    (fun i => 2%:R *: (f (z i) - y i)) f.
Proof.
move=> i v; exists 1, (normsq v); split=> [|e _]; first exact: ltr01.
rewrite [_ * e ^+ 2]mulrC -normsqZ; move: (f (z i)) (y i) => u t.
suff -> : normsq (u + e *: v - t) - normsq (u - t)
    - e * dot (2%:R *: (u - t)) v = normsq (e *: v).
  by rewrite ger0_norm ?normsq_ge0 // lexx.
rewrite /normsq /dot mulr_sumr -!sumrB; apply: eq_bigr => k _.
by rewrite !mxE; move: (u 0 k : R) (v 0 k : R) (t 0 k : R) => a b x; ring.
Qed.

Section Net.

Variables (d N k n1 n2 p m : nat) (z : 'I_N -> 'rV[R]_d).
Variables (l : 'I_N -> 'rV[R]_m -> R) (g : 'I_N -> 'rV[R]_m).
Variables (feat : 'rV[R]_d -> 'rV[R]_k) (net : deep R p n2).
Variables (A : 'M[R]_(p, m)) (c : 'rV[R]_m).
Implicit Types J : {set 'I_n1}.

Definition two_layers W1 b1 (W2 : 'M[R]_(n1, n2)) b2 x : 'rV[R]_m :=
  run (Layer W1 b1 (Layer W2 b2 net)) (feat x) *m A + c.

Definition lower W1 b1 x : 'rV[R]_n1 := hidden (feat x *m W1 + b1).

Theorem C16_first_order W1 b1 W2 b2 J j v : j \in J ->
  (forall i, \sum_(r in J) lower W1 b1 (z i) 0 r *: row r W2 = v) ->
  (forall i, clear (Layer W2 b2 net) (lower W1 b1 (z i))) ->
  has_gradient z l g (two_layers W1 b1 W2 b2) ->
  let back i := delta net A (lower W1 b1 (z i) *m W2 + b2) (g i) in
  (exists i, gsum (feat \o z) back (feat (z i)) != 0) ->
  exists (W1' : 'M_(k, n1)) (b1' : 'rV_n1) (W2' : 'M_(n1, n2)) (b2' : 'rV_n2),
  (forall r, r \notin J ->
    [/\ col r W1' = col r W1, b1' 0 r = b1 0 r & row r W2' = row r W2]) /\
  total z l (two_layers W1' b1' W2' b2') < total z l (two_layers W1 b1 W2 b2).
Proof.
move=> jJ idle clear2 grad back back_neq0.
pose cut : 'M[R]_(n1, n2) := \matrix_(i, q) if i \in J then 0 else W2 i q.
pose pre x := lower W1 b1 x *m cut + (b2 + v).
have same i : pre (z i) = lower W1 b1 (z i) *m W2 + b2.
  rewrite /pre -(idle i) [b2 + _]addrC addrA; congr (_ + _); apply/rowP=> q.
  rewrite [LHS]mxE [RHS]mxE [X in X + _]mxE summxE.
  rewrite (bigID (mem J)) /= big1 ?add0r => [|r rJ]; last first.
    by rewrite [cut _ _]mxE rJ mulr0.
  rewrite [RHS](bigID (mem J)) /= addrC; congr (_ + _).
    by apply: eq_bigr => r _; rewrite [LHS]mxE [row _ _ _ _]mxE.
  by apply: eq_bigr => r /negbTE rJ; rewrite [cut _ _]mxE rJ.
have grad_pre : has_gradient z (fun i => l i \o above net A c)
    (fun i => delta net A (pre (z i)) (g i)) pre.
  apply: C16_backpropagation => [i q|i|i]; rewrite ?same.
  - by case: (clear2 i).
  - by case: (clear2 i).
  - by rewrite /= same; apply: grad.
have [|w [b [a lt_a]]] := C17_one_unit grad_pre (feat := feat).
  have [i back_i] := back_neq0; exists i; apply: contraNneq back_i => <-.
  by apply/eqP/eq_bigr => r _; rewrite same.
exists (\matrix_(i, q) if q == j then w 0 i else W1 i q),
  (\row_q if q == j then b else b1 0 q),
  (\matrix_(i, q) if i == j then a 0 q else cut i q), (b2 + v).
split=> [r rJ|].
  have rj : (r == j) = false by apply: contraNF rJ => /eqP ->.
  by split; [apply/colP=> q|..|apply/rowP=> q]; rewrite !mxE rj ?(negbTE rJ).
apply: le_lt_trans (lt_le_trans lt_a _); rewrite le_eqVlt; apply/orP; left;
  apply/eqP/eq_bigr => i _; last by rewrite /= same.
congr (l i (run net (hidden _) *m A + c)).
rewrite /pre -addrA [b2 + v + _]addrC addrA; congr (_ + _); apply/rowP=> q.
rewrite [LHS]mxE [RHS]mxE [X in _ = X + _]mxE [X in _ = _ + X]mxE.
rewrite (bigD1 j) //= [in RHS](bigD1 j) //= [cut j q]mxE jJ mulr0 add0r addrC.
congr (_ + _).
  apply: eq_bigr => r /negbTE rj; congr (_ * _); last by rewrite mxE rj.
  rewrite !mxE rj; congr (relu (_ + _)).
  by apply: eq_bigr => s _; rewrite mxE rj.
congr (_ * _); last by rewrite mxE eqxx.
rewrite !mxE eqxx; congr (relu (_ + _)); rewrite /dot; apply: eq_bigr => s _.
by rewrite mxE eqxx mulrC.
Qed.

End Net.

End Stacks.
