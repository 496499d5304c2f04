(******************************************************************************)
(* C9, full rank: at a minimiser above the noise floor the training feature   *)
(* matrix [1 | phi_1 .. phi_n] has full column rank n + 1. So the circuits    *)
(* that are idle, jointly idle or merely redundant in training are excluded.  *)
(*                                                                            *)
(* features z theta == the N x (n + 1) matrix with rows                       *)
(*                    (1, phi_1(z_i), .., phi_n(z_i))                         *)
(*  C9_eliminate == a linear relation on the training inputs with a nonzero   *)
(*                    coefficient at unit j: unit j can be given output       *)
(*                    weight 0 without changing a training output             *)
(*  C9_full_rank == the claim                                                 *)
(*         C9_P1 == the same from P1                                          *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c6_underparameterised c8_main.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section FullRank.

Variables (R : realFieldType) (d m n N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).
Implicit Types (theta : net R d m n).

Definition features theta : 'M[R]_(N, n.+1) :=
  \matrix_(i, k) if unlift ord0 k is Some j then act theta j (z i) else 1.

Theorem C9_eliminate theta (v0 : R) (v : 'I_n -> R) j : v j != 0 ->
  (forall i, v0 + \sum_k v k * act theta k (z i) = 0) ->
  exists theta', [/\ inw theta' = inw theta, bias theta' = bias theta,
    outw theta' j = 0
  & forall i, eval theta' (z i) = eval theta (z i)].
Proof.
move=> vj_neq0 rel; pose aj := (v j)^-1 *: outw theta j.
exists (Net (inw theta) (bias theta) (fun k => outw theta k - v k *: aj)
            (shift theta - v0 *: aj)); split=> //= [|i].
  by rewrite /aj scalerA divff // scale1r subrr.
rewrite /eval /= (eq_bigr (fun k => act theta k (z i) *: outw theta k
                                    - (v k * act theta k (z i)) *: aj)).
  by rewrite sumrB addrACA -opprD -scaler_suml -scalerDl rel scale0r subr0.
by move=> k _; rewrite scalerBr [v k * _]mulrC -scalerA.
Qed.

Theorem C9_full_rank theta : minimiser z y theta ->
  floor z y < loss z y theta -> \rank (features theta) = n.+1.
Proof.
move=> min_theta lt_E; apply/eqP; rewrite -[_ == _]/(row_full _).
rewrite /row_full -mxrank_tr -/(row_free _) -kermx_eq0.
apply/rowV0P => v /sub_kermxP v_rel.
pose vj (j : 'I_n) := v 0 (lift ord0 j).
have rel i : v 0 ord0 + \sum_j vj j * act theta j (z i) = 0.
  have /rowP/(_ i) := v_rel; rewrite mxE big_ord_recl !mxE unlift_none mulr1.
  move=> rel_i; rewrite -[RHS]rel_i; congr (_ + _); apply: eq_bigr => j _.
  by rewrite !mxE liftK.
have vj0 j : vj j = 0.
  apply/eqP/negPn/negP => vj_neq0.
  have [theta' [_ _ a0 same]] := C9_eliminate vj_neq0 rel.
  have eq_loss : loss z y theta' = loss z y theta.
    by congr (_ * _); apply: eq_bigr => i _; rewrite same.
  apply: (@C8_no_idle_at _ _ _ _ _ z y theta' [set j]).
  - by rewrite eq_loss.
  - by move=> theta2; rewrite eq_loss.
  - by apply/set0Pn; exists j; rewrite inE.
  - by exists 0 => i; rewrite /circuit_out big_set1 a0 scaler0.
have [i0 _] : exists i : 'I_N, true.
  have [i _ | no_i] := pickP (fun i : 'I_N => true); first by exists i.
  move: lt_E; rewrite /loss mse_floor big_pred0 ?mulr0 ?addr0 ?ltxx //.
apply/rowP=> k; rewrite mxE; case: (unliftP ord0 k) => [j|] ->.
  exact: vj0.
by have := rel i0; rewrite big1 ?addr0 // => j _; rewrite vj0 mul0r.
Qed.

Theorem C9_P1 theta : P1 z y n -> minimiser z y theta ->
  \rank (features theta) = n.+1.
Proof.
move=> p1 min_theta; apply: C9_full_rank => //.
exact/(C6_equivalents z y theta 0%N 2%N)/(p1 theta).
Qed.

End FullRank.
