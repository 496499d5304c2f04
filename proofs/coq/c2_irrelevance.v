(******************************************************************************)
(* C2, irrelevance: a circuit that is idle in training may be hardcoded.      *)
(*                                                                            *)
(* C2_same_outputs == the hardcoded net has the same training outputs         *)
(*    C2_same_loss == and the same value of every functional of the training  *)
(*                    outputs, whatever its type                              *)
(*     C2_same_mse == the instance of the loss L                              *)
(* C2_any_architecture == the same for any model that reads one component     *)
(*                    through its output only                                 *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Irrelevance.

Variables (R : realFieldType) (d m n N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (theta : net R d m n).
Variables (J : {set 'I_n}) (v : 'rV[R]_m).
Hypothesis idleJ : idle_at z theta J v.

Theorem C2_same_outputs i : eval (hardcode theta J v) (z i) = eval theta (z i).
Proof. by rewrite eval_hardcode (eval_circuit theta J) idleJ. Qed.

Theorem C2_same_loss (T : Type) (ell : {ffun 'I_N -> 'rV[R]_m} -> T) :
  ell [ffun i => eval (hardcode theta J v) (z i)]
  = ell [ffun i => eval theta (z i)].
Proof. by congr ell; apply/ffunP=> i; rewrite !ffunE C2_same_outputs. Qed.

Theorem C2_same_mse (y : 'I_N -> 'rV[R]_m) :
  loss z y (hardcode theta J v) = loss z y theta.
Proof.
by congr (_ * _); apply: eq_bigr => i _; rewrite C2_same_outputs.
Qed.

End Irrelevance.

(* rest x (part x) is the model, part the circuit, rest all the others.       *)
Theorem C2_any_architecture (I X A B T : Type) (z : I -> X)
    (part : X -> A) (rest : X -> A -> B) (v : A) :
  (forall i, part (z i) = v) ->
  (forall i, rest (z i) v = rest (z i) (part (z i)))
  /\ forall ell : (I -> B) -> T,
       (forall f g, (forall i, f i = g i) -> ell f = ell g) ->
     ell (fun i => rest (z i) v) = ell (fun i => rest (z i) (part (z i))).
Proof.
by move=> idle; split=> [i|ell ell_ext]; last apply: ell_ext => i; rewrite idle.
Qed.
