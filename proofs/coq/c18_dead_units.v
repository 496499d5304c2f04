(******************************************************************************)
(* C18, local optimisation: a dead unit has gradient 0, so gradient descent   *)
(* never removes it, and reassignment does.                                   *)
(*                                                                            *)
(* The gradient is formal: the derivative of relu is a function drelu with    *)
(* drelu t = 0 for t < 0, its value at 0 and above being of no importance     *)
(* here; it is the gradient of L wherever no pre-activation is 0.             *)
(*                                                                            *)
(*       pre theta j x == w_j . x + b_j                                       *)
(*    dead z theta j == pre theta j < 0 on every training input               *)
(* gd drelu z y eta theta == theta - eta * (gradient of L)                    *)
(*       decay rho theta == all parameters times rho (weight decay)           *)
(*      same_unit j theta theta' == theta and theta' have the same unit j     *)
(*          C18_dead_idle == a dead unit is a train-idle circuit              *)
(*          C18_invariant == any number of gradient steps, of any sizes,      *)
(*                    leave a dead unit as it is (so dead)                    *)
(*      C18_decay == weight decay and gradient steps: it stays dead, and its  *)
(*                    parameters only shrink by the factors rho > 0           *)
(* unit_grad z drelu e theta j == the gradient in the parameters of unit j,   *)
(*                    e i being the gradient of the loss in the output at     *)
(*                    example i, whatever the loss and the weights of the     *)
(*                    examples in a batch                                     *)
(* scaled_unit rho j theta theta' == unit j of theta' is that of theta times  *)
(*                    rho                                                     *)
(* C18_any_optimiser == momentum, minibatches, Adam, decoupled decay: whoever *)
(*                    only scales, by factors rho > 0, a unit whose gradients *)
(*                    have all been 0 so far, never removes a dead unit       *)
(*  splices z y splice == splice lowers L at every net with a train-idle      *)
(*                    circuit and L > E (C7: it can)                          *)
(*    C18_fixed_point == reassignment, then a step that does not raise L: no  *)
(*                    fixed point has a train-idle circuit while L > E        *)
(* C18_fixed_point_after == the same in the other order                       *)
(* C18_no_dead_fixed_point == so for gradient steps, no fixed point has a     *)
(*                    dead unit while L > E                                   *)
(*    C18_splices == k reassignments with the gain of C12, and steps between  *)
(*                    that do not raise L: L - E falls to (1 - c(X))^k of it  *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c12_uniform_gap.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section DeadUnits.

Variables (R : realFieldType) (d m n N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).
Variables (drelu : R -> R).
Hypothesis drelu_lt0 : forall t, t < 0 -> drelu t = 0.
Implicit Types (theta : net R d m n) (j : 'I_n).

Definition pre theta j x := dot (inw theta j) x + bias theta j.

Definition dead theta j := forall i, pre theta j (z i) < 0.

Let coef : R := 2%:R / N%:R.

Definition grad_inw theta j := coef *: \sum_i
  (drelu (pre theta j (z i)) * dot (outw theta j) (eval theta (z i) - y i))
    *: z i.

Definition grad_bias theta j := coef * \sum_i
  drelu (pre theta j (z i)) * dot (outw theta j) (eval theta (z i) - y i).

Definition grad_outw theta j := coef *: \sum_i
  act theta j (z i) *: (eval theta (z i) - y i).

Definition grad_shift theta := coef *: \sum_i (eval theta (z i) - y i).

Definition gd (eta : R) theta : net R d m n :=
  Net (fun j => inw theta j - eta *: grad_inw theta j)
      (fun j => bias theta j - eta * grad_bias theta j)
      (fun j => outw theta j - eta *: grad_outw theta j)
      (shift theta - eta *: grad_shift theta).

Definition decay (rho : R) theta : net R d m n :=
  Net (fun j => rho *: inw theta j) (fun j => rho * bias theta j)
      (fun j => rho *: outw theta j) (rho *: shift theta).

Definition same_unit j theta theta' :=
  [/\ inw theta' j = inw theta j, bias theta' j = bias theta j
    & outw theta' j = outw theta j].

Theorem C18_dead_idle theta j : dead theta j -> train_idle z theta [set j].
Proof.
move=> dead_j; exists 0 => i; rewrite /circuit_out big_set1 /act relu_0.
  by rewrite scale0r.
exact: ltW (dead_j i).
Qed.

Lemma C18_gradient0 theta j : dead theta j ->
  [/\ grad_inw theta j = 0, grad_bias theta j = 0 & grad_outw theta j = 0].
Proof.
move=> dead_j; split.
- rewrite /grad_inw big1 ?scaler0 // => i _.
  by rewrite drelu_lt0 ?mul0r ?scale0r.
- by rewrite /grad_bias big1 ?mulr0 // => i _; rewrite drelu_lt0 ?mul0r.
- rewrite /grad_outw big1 ?scaler0 // => i _.
  by rewrite /act relu_0 ?scale0r // (ltW (dead_j i)).
Qed.

Lemma C18_one_step eta theta j :
  dead theta j -> same_unit j theta (gd eta theta).
Proof.
move=> /C18_gradient0[w0 b0 a0].
by split; rewrite /= ?w0 ?b0 ?a0 ?scaler0 ?mulr0 subr0.
Qed.

Lemma dead_same theta theta' j :
  same_unit j theta theta' -> dead theta j -> dead theta' j.
Proof. by move=> [eqw eqb _] dead_j i; rewrite /pre eqw eqb; apply: dead_j. Qed.

Theorem C18_invariant (etas : seq R) theta j : dead theta j ->
  let theta' := foldl (fun theta1 eta => gd eta theta1) theta etas in
  same_unit j theta theta' /\ dead theta' j.
Proof.
elim: etas theta => [|eta etas IH] theta dead_j /=; first by split.
have same1 := C18_one_step eta dead_j; have dead1 := dead_same same1 dead_j.
have [[eqw eqb eqa] dead'] := IH _ dead1; split=> //.
by have [w1 b1 a1] := same1; split; rewrite ?eqw ?eqb ?eqa.
Qed.

(* One step: decay by rho, then a gradient step of size eta.                  *)
Theorem C18_decay (steps : seq (R * R)) theta j :
  all (fun s => 0 < s.1) steps -> dead theta j ->
  let theta' := foldl (fun theta1 s => gd s.2 (decay s.1 theta1)) theta steps in
  let rho := \prod_(s <- steps) s.1 in
  [/\ inw theta' j = rho *: inw theta j, bias theta' j = rho * bias theta j,
      outw theta' j = rho *: outw theta j & dead theta' j].
Proof.
elim: steps theta => [|[rho eta] steps IH] theta /=.
  by rewrite big_nil !scale1r mul1r.
move=> /andP[rho_gt0 /IH{}IH] dead_j; rewrite big_cons /=.
have dead0 : dead (decay rho theta) j.
  by move=> i; rewrite /pre /= dotZl -mulrDr pmulr_rlt0 //; apply: dead_j.
have same1 := C18_one_step eta dead0; have dead1 := dead_same same1 dead0.
have [-> -> -> dead'] := IH _ dead1; have [-> -> ->] := same1.
by split=> //=; rewrite ?scalerA ?mulrA (mulrC rho).
Qed.

Definition unit_grad (e : 'I_N -> 'rV[R]_m) theta j : 'rV[R]_d * R * 'rV[R]_m :=
  (\sum_i (drelu (pre theta j (z i)) * dot (outw theta j) (e i)) *: z i,
   \sum_i drelu (pre theta j (z i)) * dot (outw theta j) (e i),
   \sum_i act theta j (z i) *: e i).

Definition scaled_unit (rho : R) j theta theta' :=
  [/\ inw theta' j = rho *: inw theta j, bias theta' j = rho * bias theta j
    & outw theta' j = rho *: outw theta j].

Lemma unit_grad0 e theta j : dead theta j -> unit_grad e theta j = (0, 0, 0).
Proof.
move=> dead_j; rewrite /unit_grad; congr (_, _, _).
- by rewrite big1 // => i _; rewrite drelu_lt0 ?mul0r ?scale0r.
- by rewrite big1 // => i _; rewrite drelu_lt0 ?mul0r.
- by rewrite big1 // => i _; rewrite /act relu_0 ?scale0r // (ltW (dead_j i)).
Qed.

Lemma dead_scaled rho theta theta' j :
  0 < rho -> scaled_unit rho j theta theta' -> dead theta j -> dead theta' j.
Proof.
move=> rho_gt0 [eqw eqb _] dead_j i.
by rewrite /pre eqw eqb dotZl -mulrDr pmulr_rlt0 //; apply: dead_j.
Qed.

Theorem C18_any_optimiser (thetas : nat -> net R d m n)
    (es : nat -> 'I_N -> 'rV[R]_m) (rho : nat -> R) j :
  (forall t, 0 < rho t) ->
  (forall t,
     (forall s, (s <= t)%N -> unit_grad (es s) (thetas s) j = (0, 0, 0)) ->
     scaled_unit (rho t) j (thetas t) (thetas t.+1)) ->
  dead (thetas 0%N) j ->
  forall t, scaled_unit (\prod_(s < t) rho s) j (thetas 0%N) (thetas t)
            /\ dead (thetas t) j.
Proof.
move=> rho_gt0 step dead0.
have upto t : forall s, (s <= t)%N -> dead (thetas s) j.
  elim: t => [|t IH] s; first by rewrite leqn0 => /eqP->.
  rewrite leq_eqVlt ltnS => /orP[/eqP->|/IH//].
  apply: dead_scaled (rho_gt0 t) _ (IH t (leqnn t)).
  by apply: step => r /IH/unit_grad0.
move=> t; split; last exact: upto (leqnn t).
elim: t => [|t [w_t b_t a_t]].
  by rewrite big_ord0 /scaled_unit !scale1r mul1r.
have [w1 b1 a1] : scaled_unit (rho t) j (thetas t) (thetas t.+1).
  by apply: step => s /upto/unit_grad0.
rewrite big_ord_recr /=; split; rewrite ?w1 ?b1 ?a1 ?w_t ?b_t ?a_t.
- by rewrite scalerA mulrC.
- by rewrite mulrA (mulrC (rho t)).
- by rewrite scalerA mulrC.
Qed.

(* splice is any reassignment step that does what C7 says can be done.        *)
Definition splices (splice : net R d m n -> net R d m n) :=
  forall theta J, J != set0 -> train_idle z theta J ->
  floor z y < loss z y theta -> loss z y (splice theta) < loss z y theta.

Theorem C18_fixed_point (step splice : net R d m n -> net R d m n) theta J :
  splices splice ->
  loss z y (step (splice theta)) <= loss z y (splice theta) ->
  step (splice theta) = theta -> J != set0 -> train_idle z theta J ->
  loss z y theta = floor z y.
Proof.
move=> splice_lt step_le fixed J_neq0 idleJ.
apply/eqP; rewrite eq_le net.floor_le andbT leNgt; apply/negP => lt_E.
by have := splice_lt _ _ J_neq0 idleJ lt_E; rewrite ltNge -{1}fixed step_le.
Qed.

Theorem C18_fixed_point_after (step splice : net R d m n -> net R d m n)
    theta J :
  splices splice -> loss z y (step theta) <= loss z y theta ->
  splice (step theta) = theta -> J != set0 -> train_idle z (step theta) J ->
  loss z y (step theta) = floor z y.
Proof.
move=> splice_lt step_le fixed J_neq0 idleJ.
apply/eqP; rewrite eq_le net.floor_le andbT leNgt; apply/negP => lt_E.
by have := splice_lt _ _ J_neq0 idleJ lt_E; rewrite fixed ltNge step_le.
Qed.

Theorem C18_no_dead_fixed_point eta splice theta j :
  splices splice -> loss z y (gd eta theta) <= loss z y theta ->
  splice (gd eta theta) = theta -> dead theta j ->
  loss z y (gd eta theta) = floor z y.
Proof.
move=> splice_lt step_le fixed dead_j.
have dead1 := dead_same (C18_one_step eta dead_j) dead_j.
have j_neq0 : [set j] != set0 by apply/set0Pn; exists j; rewrite inE.
apply: C18_fixed_point_after splice_lt step_le fixed j_neq0 _.
exact: C18_dead_idle.
Qed.

Theorem C18_splices w h D (k : nat) (thetas thetas' : nat -> net R d m n) :
  gauge z w h D ->
  (forall i, (i < k)%N -> loss z y (thetas' i) <= loss z y (thetas i)
             - gap N h D * (loss z y (thetas i) - floor z y)) ->
  (forall i, (i < k)%N -> loss z y (thetas i.+1) <= loss z y (thetas' i)) ->
  loss z y (thetas k) - floor z y
  <= (1 - gap N h D) ^+ k * (loss z y (thetas 0%N) - floor z y).
Proof.
move=> gauge_w; elim: k => [|k IH] splice_le step_le; first by rewrite mul1r.
have {}IH := IH (fun i ik => splice_le i (leqW ik)) (fun i ik => step_le i (leqW ik)).
have c_le1 : 0 <= 1 - gap N h D by rewrite subr_ge0 (ltW (gap_lt1 gauge_w)).
rewrite exprS -mulrA; apply: le_trans (ler_wpM2l c_le1 IH).
rewrite mulrBl mul1r addrAC lerD2r.
exact: le_trans (step_le k (ltnSn k)) (splice_le k (ltnSn k)).
Qed.

End DeadUnits.
