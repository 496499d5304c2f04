(******************************************************************************)
(* C5, exact descent: for a unit with activations phi_i and residuals r_i,    *)
(* s = sum_i phi_i r_i, q = sum_i phi_i^2, the output weight s / q lowers the *)
(* summed squared loss by exactly |s|^2 / q.                                  *)
(*                                                                            *)
(*   C5_exact_descent == vector residuals                                     *)
(* C5_scalar_descent == scalar residuals                                      *)
(*   C5_strict_descent == if s is not 0 the loss is strictly lower            *)
(*    C5_best_weight == no other output weight lowers it by more              *)
(*        C5_add_unit == the same for the loss of a net and one more unit     *)
(*  C5_add_unit_lower == so if s is not 0 some output weight lowers the loss  *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Descent.

Variables (R : realFieldType) (N : nat).
Implicit Types phi : 'I_N -> R.

Lemma sum_sqr_gt0 (V : lmodType R) phi (r : 'I_N -> V) :
  \sum_i phi i *: r i != 0 -> 0 < \sum_i phi i ^+ 2.
Proof.
apply: contraNT; rewrite lt_def sumr_ge0 => [|i _]; last exact: sqr_ge0.
rewrite andbT negbK psumr_eq0 => [/allP phi0|i _]; last exact: sqr_ge0.
rewrite big1 // => i _; have := phi0 i; rewrite mem_index_enum => /(_ isT).
by rewrite sqrf_eq0 => /eqP ->; rewrite scale0r.
Qed.

Theorem C5_scalar_descent phi (r : 'I_N -> R) :
  let s := \sum_i phi i * r i in let q := \sum_i phi i ^+ 2 in s != 0 ->
  \sum_i (r i - s / q * phi i) ^+ 2 = \sum_i r i ^+ 2 - s ^+ 2 / q.
Proof.
move=> s q s_neq0; have q_neq0 : q != 0.
  by rewrite gt_eqF // (sum_sqr_gt0 (r := r : 'I_N -> R^o)).
transitivity (\sum_i (r i ^+ 2 + (s / q) ^+ 2 * phi i ^+ 2
                      - (s / q) *+ 2 * (phi i * r i))).
  by apply: eq_bigr => i _; ring.
rewrite sumrB big_split /= -!mulr_sumr -/s -/q.
by rewrite -addrA; congr (_ + _); field.
Qed.

Variable m : nat.

Theorem C5_exact_descent phi (r : 'I_N -> 'rV[R]_m) :
  let s := \sum_i phi i *: r i in let q := \sum_i phi i ^+ 2 in s != 0 ->
  \sum_i normsq (r i - phi i *: (q^-1 *: s))
  = \sum_i normsq (r i) - normsq s / q.
Proof.
move=> s q s_neq0; have q_neq0 : q != 0.
  by rewrite gt_eqF // (sum_sqr_gt0 s_neq0).
rewrite /normsq exchange_big [X in _ = X - _]exchange_big /=.
rewrite mulr_suml -sumrB; apply: eq_bigr => k _.
pose rk i := r i 0 k; have sE : s 0 k = \sum_i phi i * rk i.
  by rewrite summxE; apply: eq_bigr => i _; rewrite mxE.
have [sk0|sk_neq0] := eqVneq (s 0 k) 0.
  rewrite sk0 expr0n mul0r subr0; apply: eq_bigr => i _.
  by rewrite !mxE sk0 !mulr0 subr0.
rewrite sE; rewrite sE in sk_neq0; rewrite -C5_scalar_descent //.
by apply: eq_bigr => i _; rewrite !mxE -sE mulrC [q^-1 * _]mulrC.
Qed.

Lemma scalar_best_weight phi (r : 'I_N -> R) a :
  let s := \sum_i phi i * r i in let q := \sum_i phi i ^+ 2 in
  (\sum_i r i ^+ 2 - s ^+ 2 / q <= \sum_i (r i - phi i * a) ^+ 2 : Prop).
Proof.
move=> s q; have -> : \sum_i (r i - phi i * a) ^+ 2
    = \sum_i r i ^+ 2 - s * a *+ 2 + q * a ^+ 2.
  rewrite /s /q !mulr_suml -sumrMnl -sumrB -big_split /=.
  by apply: eq_bigr => i _; ring.
have [q0|q_neq0] := eqVneq q 0.
  suff -> : s = 0 by rewrite q0 !mul0r expr0n mul0rn subr0 addr0 mul0r subr0.
  have [//|s_neq0] := eqVneq s 0.
  by have := sum_sqr_gt0 (r := r : 'I_N -> R^o) s_neq0; rewrite -/q q0 ltxx.
set t := \sum_i r i ^+ 2; rewrite -subr_ge0.
have -> : t - s * a *+ 2 + q * a ^+ 2 - (t - s ^+ 2 / q)
  = q * (a - s / q) ^+ 2 by field.
rewrite mulr_ge0 ?sqr_ge0 // /q; apply: sumr_ge0 => i _; exact: sqr_ge0.
Qed.

Theorem C5_best_weight phi (r : 'I_N -> 'rV[R]_m) a :
  let s := \sum_i phi i *: r i in let q := \sum_i phi i ^+ 2 in
  (\sum_i normsq (r i) - normsq s / q
   <= \sum_i normsq (r i - phi i *: a) : Prop).
Proof.
move=> s q; rewrite /normsq exchange_big [leRHS]exchange_big /=.
rewrite mulr_suml -sumrB; apply: ler_sum => k _.
have -> : s 0 k = \sum_i phi i * r i 0 k.
  by rewrite summxE; apply: eq_bigr => i _; rewrite mxE.
under [leRHS]eq_bigr do rewrite !mxE.
exact: scalar_best_weight (fun i => r i 0 k) (a 0 k).
Qed.

Theorem C5_strict_descent phi (r : 'I_N -> 'rV[R]_m) :
  let s := \sum_i phi i *: r i in let q := \sum_i phi i ^+ 2 in s != 0 ->
  \sum_i normsq (r i - phi i *: (q^-1 *: s)) < \sum_i normsq (r i).
Proof.
move=> s q s_neq0; rewrite C5_exact_descent // gtrDl oppr_lt0.
by rewrite divr_gt0 ?normsq_gt0 ?(sum_sqr_gt0 s_neq0).
Qed.

End Descent.

Section AddUnit.

Variables (R : realFieldType) (d m n N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m) (theta : net R d m n).

Theorem C5_add_unit w b :
  let phi i := relu (dot w (z i) + b) in
  let s := \sum_i phi i *: (y i - eval theta (z i)) in
  let q := \sum_i phi i ^+ 2 in s != 0 ->
  loss z y (add_unit theta w b (q^-1 *: s))
  = loss z y theta - N%:R^-1 * (normsq s / q).
Proof.
move=> phi s q s_neq0; rewrite /loss /mse -mulrBr; congr (_ * _).
under eq_bigr => i _ do rewrite eval_add_unit normsqBC opprD addrA.
rewrite C5_exact_descent //; congr (_ - _).
by apply: eq_bigr => i _; rewrite normsqBC.
Qed.

Theorem C5_add_unit_lower w b :
  \sum_i relu (dot w (z i) + b) *: (y i - eval theta (z i)) != 0 ->
  exists a, loss z y (add_unit theta w b a) < loss z y theta.
Proof.
move=> s_neq0; pose q := \sum_i relu (dot w (z i) + b) ^+ 2.
pose s := \sum_i relu (dot w (z i) + b) *: (y i - eval theta (z i)).
exists (q^-1 *: s); rewrite (C5_add_unit s_neq0) gtrDl oppr_lt0.
rewrite mulr_gt0 ?divr_gt0 ?normsq_gt0 ?(sum_sqr_gt0 s_neq0) //.
rewrite invr_gt0 ltr0n lt0n; apply: contraNneq s_neq0 => N0.
by apply/eqP/big1 => i; have := ltn_ord i; rewrite {2}N0.
Qed.

End AddUnit.
