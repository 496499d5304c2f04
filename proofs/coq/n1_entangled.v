(******************************************************************************)
(* N1 for every width: a minimiser above the noise floor without an idle      *)
(* circuit that agrees in training with another minimiser, and differs from   *)
(* it at deployment. So C8 cannot exclude detectors that are not separable.   *)
(*                                                                            *)
(* There are n units, n inputs of an example and n + 1 outputs; N = n + 2.    *)
(*            zin i == the inputs: -2 (1, .., 1), -1 (1, .., 1), and the unit *)
(*                    vectors                                                 *)
(*              T == n + 2                                                    *)
(*            top == the first unit vector of the outputs                     *)
(*        coord j == the others                                               *)
(*         yout i == the targets: top, - top, and T times the others          *)
(*       target x == a function that meets all targets, so that E = 0         *)
(*         pivot s == unit j reads coordinate j with slope s, and is 1 at the *)
(*                    j-th unit vector whatever s is                          *)
(*    N1_entangled == for s > 1, pivot s and pivot 1 are minimisers above the *)
(*                    noise floor with the same training outputs, pivot s has *)
(*                    no train-idle circuit, and they differ at 2 e_j         *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c6_underparameterised c8_main.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Entangled.

Variables (R : realFieldType) (n : nat).
Hypothesis n_gt0 : (0 < n)%N.

Let T : R := n.+2%:R.
Definition zin (i : 'I_n.+2) : 'rV[R]_n :=
  if unlift ord0 i is Some i' then
    if unlift ord0 i' is Some j then delta_mx 0 j else - const_mx 1
  else - const_mx 2%:R.
Definition top : 'rV[R]_n.+1 := delta_mx 0 ord0.
Definition coord (j : 'I_n) : 'rV[R]_n.+1 := delta_mx 0 (lift ord0 j).
Definition yout (i : 'I_n.+2) : 'rV[R]_n.+1 :=
  if unlift ord0 i is Some i' then
    if unlift ord0 i' is Some j then T *: coord j else - top
  else top.
Definition pivot (s : R) : net R n n.+1 n :=
  Net (fun j => s *: delta_mx 0 j) (fun=> 1 - s) (fun j => T *: coord j) 0.

Lemma dot_delta k (v : 'rV[R]_k) j : dot v (delta_mx 0 j) = v 0 j.
Proof.
rewrite /dot (bigD1 j) //= mxE !eqxx mulr1 big1 ?addr0 // => i /negbTE ij.
by rewrite mxE ij andbF mulr0.
Qed.

Lemma act_pivot s j x : act (pivot s) j x = relu (s * x 0 j + (1 - s)).
Proof. by rewrite /act /= dotZl dotC dot_delta. Qed.

Lemma eval_pivot s (i : 'I_n.+2) : 1 <= s -> eval (pivot s) (zin i) =
  if unlift ord0 i is Some i' then
    if unlift ord0 i' is Some j then T *: coord j else 0 else 0.
Proof.
move=> s1; have s0 : 0 <= s := le_trans ler01 s1.
have off (c : R) : c <= 0 -> relu (s * c + (1 - s)) = 0.
  move=> c0; rewrite relu_0 //.
  apply: le_trans (_ : 1 - s <= 0); last by rewrite subr_le0.
  by rewrite gerDr mulr_ge0_le0.
rewrite /eval /= add0r /zin; case: (unlift ord0 i) => [i'|]; last first.
  rewrite big1 // => j _.
  by rewrite act_pivot off ?scale0r // !mxE oppr_le0 ler0n.
case: (unlift ord0 i') => [j|]; last first.
  rewrite big1 // => j _.
  by rewrite act_pivot off ?scale0r // !mxE oppr_le0 ler01.
rewrite (bigD1 j) //= act_pivot mxE !eqxx mulr1.
have -> : s + (1 - s) = 1 by rewrite addrC subrK.
rewrite relu_id ?ler01 // scale1r.
rewrite big1 ?addr0 // => k /negbTE kj; rewrite act_pivot off ?scale0r //.
by rewrite mxE kj andbF.
Qed.

Lemma normsq_delta k (j : 'I_k) : normsq (delta_mx 0 j : 'rV[R]_k) = 1.
Proof.
rewrite /normsq (bigD1 j) //= mxE !eqxx expr1n big1 ?addr0 // => i /negbTE ij.
by rewrite mxE ij andbF expr0n.
Qed.

Lemma loss_pivot s : 1 <= s -> loss zin yout (pivot s) = n.+2%:R^-1 * 2%:R.
Proof.
move=> s1; rewrite /loss /mse; congr (_ * _).
rewrite big_ord_recl eval_pivot // /yout unlift_none sub0r normsqN normsq_delta.
rewrite big_ord_recl eval_pivot // liftK unlift_none sub0r opprK normsq_delta.
rewrite big1 ?addr0 // => j _; rewrite eval_pivot // !liftK subrr.
by apply/eqP; rewrite normsq_eq0.
Qed.

(* The outputs of n units lie in a hyperplane of the n + 1 dimensions. *)
Lemma hyperplane (theta : net R n n.+1 n) : exists2 u : 'rV[R]_n.+1, u != 0 &
  forall x, dot u (eval theta x) = dot u (shift theta).
Proof.
pose A : 'M[R]_(n, n.+1) := \matrix_j outw theta j.
have : kermx A^T != 0.
  rewrite -mxrank_eq0 mxrank_ker mxrank_tr -lt0n subn_gt0.
  by apply: leq_ltn_trans (rank_leq_row A) _.
move=> /rowV0Pn[u /sub_kermxP uA u_neq0]; exists u => // x.
rewrite /eval dotDr dot_sumr big1 ?addr0 // => j _; rewrite dotZr.
have /rowP/(_ j) := uA; rewrite !mxE => uj.
suff -> : dot u (outw theta j) = 0 by rewrite mulr0.
by rewrite -[RHS]uj; apply: eq_bigr => k _; rewrite !mxE.
Qed.

Lemma one_term (kappa v : R) :
  2%:R * n%:R * v ^+ 2 <= n%:R * (kappa - T * v) ^+ 2 + 2%:R * kappa ^+ 2.
Proof.
rewrite -subr_ge0.
have -> : n%:R * (kappa - T * v) ^+ 2 + 2%:R * kappa ^+ 2 - 2%:R * n%:R * v ^+ 2
  = T * (kappa - n%:R * v) ^+ 2 + 2%:R * n%:R * (T - 1) * v ^+ 2.
  have -> : T = n%:R + 2%:R by rewrite /T -natrD addn2.
  by ring.
have T1 : 0 <= T - 1 by rewrite subr_ge0 ler1n.
rewrite addr_ge0 // mulr_ge0 ?sqr_ge0 ?ler0n //.
by rewrite mulr_ge0 // mulr_ge0 ?ler0n.
Qed.

Lemma least (theta : net R n n.+1 n) : n.+2%:R^-1 * 2%:R <= loss zin yout theta.
Proof.
rewrite /loss /mse ler_pM2l ?invr_gt0 ?ltr0n //.
have [u u_neq0 flat] := hyperplane theta.
have u_gt0 : 0 < normsq u by rewrite normsq_gt0.
rewrite -(ler_pM2l u_gt0) mulr_sumr; set kappa := dot u (shift theta) in flat.
apply: (@le_trans _ _ (\sum_i (kappa - dot u (yout i)) ^+ 2)); last first.
  by apply: ler_sum => i _; rewrite -(flat (zin i)) -dotBr; apply: cauchy.
rewrite !big_ord_recl /yout unlift_none liftK unlift_none dot_delta.
have -> : dot u (- top) = - u 0 ord0.
  by rewrite -scaleN1r dotZr dot_delta mulN1r.
under eq_bigr => j _ do rewrite !liftK dotZr dot_delta.
rewrite {1}/normsq big_ord_recl; set v0 := u 0 ord0.
set S := \sum_(j < n) u 0 _ ^+ 2.
have n_gt : 0 < n%:R :> R by rewrite ltr0n.
have S_le : 2%:R * S
    <= \sum_(j < n) (kappa - T * u 0 (lift ord0 j)) ^+ 2 + 2%:R * kappa ^+ 2.
  rewrite -(ler_pM2l n_gt).
  have -> : n%:R * (2%:R * S)
      = \sum_(j < n) 2%:R * n%:R * u 0 (lift ord0 j) ^+ 2.
    by rewrite -mulr_sumr -/S; ring.
  have -> : n%:R * (\sum_(j < n) (kappa - T * u 0 (lift ord0 j)) ^+ 2
                    + 2%:R * kappa ^+ 2)
      = \sum_(j < n) (n%:R * (kappa - T * u 0 (lift ord0 j)) ^+ 2
                      + 2%:R * kappa ^+ 2).
    rewrite mulrDr big_split; congr (_ + _); first by rewrite mulr_sumr.
    by rewrite sumr_const card_ord -[RHS]mulr_natl.
  by apply: ler_sum => j _; apply: one_term.
have -> : (v0 ^+ 2 + S) * 2%:R = 2%:R * v0 ^+ 2 + 2%:R * S by ring.
apply: le_trans (lerD (lexx _) S_le) _.
by rewrite le_eqVlt; apply/orP; left; apply/eqP; set Q := \sum_(j < n) _; ring.
Qed.

Definition target x : 'rV[R]_n.+1 :=
  if x == - const_mx 2%:R then top
  else if x == - const_mx 1 then - top else eval (pivot 1) x.

Lemma floor0 : floor zin yout <= 0.
Proof.
apply: le_trans (net.floor_le zin yout target) _; rewrite /mse.
suff -> : \sum_i normsq (target (zin i) - yout i) = 0 by rewrite mulr0.
have n0 : 'I_n := Ordinal n_gt0.
have ne (c : R) j : 0 < c -> (delta_mx 0 j == - const_mx c :> 'rV[R]_n) = false.
  move=> c0; apply/eqP => /rowP/(_ j); rewrite !mxE !eqxx => E.
  by have : (0 : R) < 1 := ltr01; rewrite -[1]/(true%:R) E ltNge oppr_le0 (ltW c0).
apply: big1 => i _; apply/eqP; rewrite normsq_eq0 subr_eq0; apply/eqP.
rewrite /target; have := eval_pivot i (lexx (1 : R)); rewrite /zin /yout.
case: (unlift ord0 i) => [i'|] /=; last by rewrite eqxx.
case: (unlift ord0 i') => [j|] E; first by rewrite !ne ?ltr0n ?ltr01.
rewrite eqxx ifF //; apply/eqP => /oppr_inj/rowP/(_ n0); rewrite !mxE => /eqP.
by rewrite eq_sym (eqr_nat _ 2 1).
Qed.

Theorem N1_entangled (s : R) : 1 < s -> let f := pivot s in let g := pivot 1 in
  [/\ minimiser zin yout f, minimiser zin yout g, floor zin yout < loss zin yout f,
      (forall i, eval f (zin i) = eval g (zin i))
    & (forall J, J != set0 -> ~ train_idle zin f J)] /\
    forall j : 'I_n, eval f (2%:R *: delta_mx 0 j) != eval g (2%:R *: delta_mx 0 j).
Proof.
move=> s1 f g; have s1' := ltW s1.
have min t : 1 <= t -> minimiser zin yout (pivot t).
  by move=> t1 theta; rewrite loss_pivot //; apply: least.
have lt_E : floor zin yout < loss zin yout f.
  by rewrite loss_pivot //; apply: le_lt_trans floor0 _; rewrite mulr_gt0 ?invr_gt0 ?ltr0n.
split; first split=> //.
- exact: min.
- exact: min.
- by move=> i; rewrite !eval_pivot.
- by move=> J; apply: C8_no_idle_at; [|exact: min].
move=> j; apply/eqP => /rowP/(_ (lift ord0 j)).
have value t : 1 <= t -> eval (pivot t) (2%:R *: delta_mx 0 j) = ((t + 1) * T) *: coord j.
  move=> t1; rewrite /eval /= add0r (bigD1 j) //= big1 ?addr0 => [|k /negbTE kj].
    rewrite act_pivot !mxE !eqxx mulr1 scalerA relu_id; first by congr (_ * _ *: _); ring.
    have -> : t * 2%:R + (1 - t) = t + 1 by ring.
    by rewrite addr_ge0 ?ler01 // (le_trans ler01).
  by rewrite act_pivot !mxE kj andbF !mulr0 add0r relu_0 ?scale0r // subr_le0.
rewrite !value // !mxE !eqxx !mulr1 => /(mulIf _) E.
have T0 : T != 0 by rewrite pnatr_eq0.
by have /addIr s_eq := E T0; move: s1; rewrite s_eq ltxx.
Qed.
End Entangled.
