(******************************************************************************)
(* C8, the contradiction: under P1 (every net in S_n is beaten by a wider     *)
(* net), no circuit of a minimiser of the loss on S_n can be removed, that is *)
(* replaced by a constant, at no loss. So none is train-idle.                 *)
(*                                                                            *)
(*  C8_no_removable == the claim, for every circuit and every constant        *)
(* C8_no_idle_minimiser == in particular no minimiser has a train-idle circuit*)
(*    C8_no_detector == nor one that is idle in training and fires somewhere  *)
(*    C8_no_idle_at, C8_no_removable_at == the premise is needed at the       *)
(*                    minimiser only, as L > E                                *)
(*       C8_detects == the tie to C1: against the net with J hardcoded at v,  *)
(*                    the net defects at the inputs at which J does not send  *)
(*                    v, and agrees in training iff J is idle at v            *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c1_detector c6_underparameterised c7_reassignment.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Main.

Variables (R : realFieldType) (d m n N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).
Implicit Types (theta : net R d m n) (J : {set 'I_n}).

Theorem C8_no_idle_at theta J : floor z y < loss z y theta ->
  minimiser z y theta -> J != set0 -> ~ train_idle z theta J.
Proof.
move=> lt_E min_theta J_neq0 idleJ.
have [theta' [_]] := C7_reassignment J_neq0 idleJ lt_E.
by rewrite ltNge min_theta.
Qed.

(* With J removed the net has J idle, at 0: were it no worse, it would be a   *)
(* minimiser with an idle circuit.                                            *)
Theorem C8_no_removable_at theta J v : floor z y < loss z y theta ->
  minimiser z y theta -> J != set0 ->
  loss z y theta < loss z y (hardcode theta J v).
Proof.
move=> lt_E min_theta J_neq0; rewrite lt_neqAle min_theta andbT.
apply/negP => /eqP same; apply: (@C8_no_idle_at (hardcode theta J v) J) => //.
- by rewrite -same.
- by move=> theta'; rewrite -same.
- by exists 0 => i; apply: big1 => j /= ->; rewrite scaler0.
Qed.

Theorem C8_no_removable : P1 z y n ->
  forall theta, minimiser z y theta ->
  forall J v, J != set0 -> loss z y theta < loss z y (hardcode theta J v).
Proof.
move=> p1 theta min_theta J v; apply: C8_no_removable_at min_theta.
exact/(C6_equivalents z y theta 0%N 2%N)/(p1 theta).
Qed.

Theorem C8_no_idle_minimiser : P1 z y n ->
  forall theta, minimiser z y theta ->
  forall J, J != set0 -> ~ train_idle z theta J.
Proof.
move=> p1 theta min_theta J; apply: C8_no_idle_at min_theta.
exact/(C6_equivalents z y theta 0%N 2%N)/(p1 theta).
Qed.

Theorem C8_no_detector : P1 z y n ->
  forall theta, minimiser z y theta ->
  forall J x, J != set0 -> ~ fires z theta J x.
Proof.
move=> p1 theta min_theta J x J_neq0 [v idleJ _].
by apply: (C8_no_idle_minimiser p1 min_theta J_neq0); exists v.
Qed.

Lemma hardcode_differs theta J v x :
  (eval theta x != eval (hardcode theta J v) x) = (circuit_out theta J x != v).
Proof.
rewrite eval_hardcode (eval_circuit theta J).
by rewrite (inj_eq (addIr _)) (inj_eq (addrI _)).
Qed.

Theorem C8_detects theta J v (T : finType) (q : T -> 'rV[R]_d) :
  ((forall i, eval theta (z i) = eval (hardcode theta J v) (z i))
    <-> idle_at z theta J v) /\
  defects (eval theta \o q) (eval (hardcode theta J v) \o q)
    = [set x | circuit_out theta J (q x) != v].
Proof.
split; last by apply/setP => x; rewrite !inE /= hardcode_differs.
split=> same i; apply/eqP; move: (same i) => /eqP; apply: contraLR.
  by rewrite -hardcode_differs.
by rewrite hardcode_differs.
Qed.

End Main.
