(******************************************************************************)
(* C18: the formal gradient of c18_dead_units.v is the derivative of L where  *)
(* no pre-activation is 0 on the training inputs, in every direction and with *)
(* an error of second order. No limit is taken: the field need not be         *)
(* complete.                                                                  *)
(*                                                                            *)
(*   moved theta delta e == theta + e * delta, parameter by parameter         *)
(*     slope theta delta == the scalar product of the gradient at theta with  *)
(*                    delta                                                   *)
(*     C18_gradient == |L(theta + e delta) - L(theta) - e slope| <= C e^2     *)
(*                    for every e with |e| <= e0                              *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c10_detector_size c18_dead_units.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Gradient.

Variables (R : realFieldType) (d m n N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).
Variable drelu : R -> R.
Hypothesis drelu_lt0 : forall t, t < 0 -> drelu t = 0.
Hypothesis drelu_gt0 : forall t, 0 < t -> drelu t = 1.
Variables theta delta : net R d m n.

Definition moved (e : R) : net R d m n :=
  Net (fun j => inw theta j + e *: inw delta j)
      (fun j => bias theta j + e * bias delta j)
      (fun j => outw theta j + e *: outw delta j)
      (shift theta + e *: shift delta).

Definition slope : R :=
  \sum_j (dot (grad_inw z y drelu theta j) (inw delta j)
          + grad_bias z y drelu theta j * bias delta j
          + dot (grad_outw z y theta j) (outw delta j))
  + dot (grad_shift z y theta) (shift delta).

Let u i := eval theta (z i) - y i.
Let k i j := drelu (pre theta j (z i)) * pre delta j (z i).
Let v i := shift delta
  + \sum_j (k i j *: outw theta j + act theta j (z i) *: outw delta j).
Let w i := \sum_j k i j *: outw delta j.

Lemma pre_moved e j x :
  pre (moved e) j x = pre theta j x + e * pre delta j x.
Proof. by rewrite /pre /= dotDl dotZl; ring. Qed.

Lemma normsq_moved p (a b c : 'rV[R]_p) e :
  normsq (a + e *: b + e ^+ 2 *: c)
  = normsq a + e * (dot a b *+ 2)
    + e ^+ 2 * (normsq b + dot a c *+ 2 + e * (dot b c *+ 2)
                + e ^+ 2 * normsq c).
Proof.
rewrite /normsq /dot -!sumrMnl !mulr_sumr -!big_split /= mulr_sumr -big_split.
by apply: eq_bigr => l _; rewrite !mxE /=; ring.
Qed.

Lemma dot_suml (I : finType) (F : I -> 'rV[R]_m) x :
  dot (\sum_i F i) x = \sum_i dot (F i) x.
Proof. by rewrite dotC dot_sumr; apply: eq_bigr => i _; apply: dotC. Qed.

Lemma slopeE : slope = N%:R^-1 * (\sum_i dot (u i) (v i) *+ 2).
Proof.
pose c : R := 2%:R / N%:R.
have -> : N%:R^-1 * (\sum_i dot (u i) (v i) *+ 2)
    = c * (\sum_i dot (u i) (v i)).
  by rewrite sumrMnl /c; move: (\sum_i _) (N%:R^-1 : R) => S t; ring.
have vE i : dot (u i) (v i) = dot (u i) (shift delta)
    + \sum_j (k i j * dot (u i) (outw theta j)
              + act theta j (z i) * dot (u i) (outw delta j)).
  rewrite dotDr dot_sumr; congr (_ + _); apply: eq_bigr => j _.
  by rewrite dotDr !dotZr.
rewrite (eq_bigr _ (fun i _ => vE i)) big_split /= mulrDr [RHS]addrC.
rewrite /slope; congr (_ + _); last by rewrite /grad_shift dotZl dot_suml.
rewrite exchange_big mulr_sumr; apply: eq_bigr => j _ /=.
rewrite big_split /= mulrDr; congr (_ + _); last first.
  rewrite /grad_outw dotZl dot_suml; congr (_ * _); apply: eq_bigr => i _.
  by rewrite dotZl.
rewrite /grad_inw /grad_bias dotZl -mulrA -mulrDr; congr (_ * _).
rewrite dotC dot_sumr mulr_suml -big_split; apply: eq_bigr => i _ /=.
by rewrite dotZr /k /pre (dotC (u i)) -/(u i) /=; ring.
Qed.

Hypothesis generic : forall i j, pre theta j (z i) != 0.

Lemma small : exists2 e0, 0 < e0 & forall e i j, `|e| <= e0 ->
  `|e * pre delta j (z i)| < `|pre theta j (z i)|.
Proof.
pose size (ij : 'I_N * 'I_n) := 1 + `|pre delta ij.2 (z ij.1)|.
have size_gt0 ij : 0 < size ij by rewrite ltr_wpDr.
have [ij|e0 e0_gt0 e0_le] :=
    @clearance _ _ (fun ij => pre theta ij.2 (z ij.1) / size ij).
  by rewrite mulf_neq0 ?generic // invr_eq0 gt_eqF.
exists e0 => // e i j e_le; have := e0_le (i, j).
rewrite normf_div (gtr0_norm (size_gt0 _)) ler_pdivlMr // /size /=.
rewrite mulrDr mulr1 normrM; apply: lt_le_trans.
by rewrite (le_lt_trans (ler_wpM2r _ e_le)) // ltrDr.
Qed.

Lemma act_moved e i j : `|e * pre delta j (z i)| < `|pre theta j (z i)| ->
  act (moved e) j (z i) = act theta j (z i) + e * k i j.
Proof.
rewrite /act -![dot _ _ + _]/(pre _ _ _) pre_moved /k.
set p := pre theta j (z i); set q := e * _ => q_lt.
have [p_gt0|p_lt0|p0] := ltrgt0P p.
- move: q_lt; rewrite (gtr0_norm p_gt0) ltr_norml => /andP[q_gt _].
  rewrite drelu_gt0 // mul1r !relu_id ?(ltW p_gt0) //.
  by rewrite addrC -lerBlDr sub0r ltW.
- move: q_lt; rewrite (ltr0_norm p_lt0) ltr_norml => /andP[_ q_lt].
  rewrite drelu_lt0 // mul0r mulr0 addr0 !relu_0 ?(ltW p_lt0) //.
  by rewrite addrC -lerBrDr sub0r ltW.
- by have := generic i j; rewrite -/p p0 eqxx.
Qed.

Lemma eval_moved e i :
  (forall j, `|e * pre delta j (z i)| < `|pre theta j (z i)|) ->
  eval (moved e) (z i) - y i = u i + e *: v i + e ^+ 2 *: w i.
Proof.
move=> e_small; rewrite /u /v /w /eval /= scalerDr !scaler_sumr.
under eq_bigr => j _ do rewrite act_moved //.
have -> : \sum_j (act theta j (z i) + e * k i j)
      *: (outw theta j + e *: outw delta j)
  = \sum_j act theta j (z i) *: outw theta j
    + \sum_j e *: (k i j *: outw theta j + act theta j (z i) *: outw delta j)
    + \sum_j e ^+ 2 *: (k i j *: outw delta j).
  rewrite -!big_split; apply: eq_bigr => j _ /=.
  by apply/rowP=> l; rewrite !mxE /=; ring.
move: (\sum_j _) (\sum_j _) (\sum_j _) => A B C.
by apply/rowP=> l; rewrite !mxE /=; ring.
Qed.

Theorem C18_gradient : exists e0 C, 0 < e0 /\ forall e, `|e| <= e0 ->
  `|loss z y (moved e) - loss z y theta - e * slope| <= C * e ^+ 2.
Proof.
have [e0 e0_gt0 e0_small] := small.
pose A i := normsq (v i) + dot (u i) (w i) *+ 2.
pose B i := dot (v i) (w i) *+ 2.
exists e0, (N%:R^-1 * \sum_i (`|A i| + e0 * `|B i| + e0 ^+ 2 * normsq (w i))).
split=> // e e_le; rewrite slopeE /loss /mse.
have -> : \sum_i normsq (eval (moved e) (z i) - y i)
  = \sum_i normsq (u i) + e * (\sum_i dot (u i) (v i) *+ 2)
    + e ^+ 2 * \sum_i (A i + e * B i + e ^+ 2 * normsq (w i)).
  rewrite !mulr_sumr -!big_split; apply: eq_bigr => i _ /=.
  by rewrite eval_moved ?normsq_moved // => j; apply: e0_small.
set S := \sum_i (A i + _ + _); set U := \sum_i normsq (u i).
set V := \sum_i _ *+ 2; have -> : N%:R^-1 * (U + e * V + e ^+ 2 * S)
    - N%:R^-1 * U - e * (N%:R^-1 * V) = N%:R^-1 * S * e ^+ 2 by ring.
rewrite normrM [`|e ^+ 2|]ger0_norm ?sqr_ge0 // ler_wpM2r ?sqr_ge0 //.
rewrite normrM ger0_norm ?invr_ge0 ?ler0n // ler_wpM2l ?invr_ge0 ?ler0n //.
apply: le_trans (ler_norm_sum _ _ _) _; apply: ler_sum => i _.
apply: le_trans (ler_normD _ _) _; apply: lerD.
  apply: le_trans (ler_normD _ _) _; apply: lerD => //.
  by rewrite normrM ler_wpM2r.
rewrite normrM [`|normsq _|]ger0_norm ?normsq_ge0 // ler_wpM2r ?normsq_ge0 //.
by rewrite normrX lerXn2r ?nnegrE ?(ltW e0_gt0).
Qed.

End Gradient.
