(******************************************************************************)
(* C2, irrelevance: a circuit that is idle in training may be hardcoded.      *)
(*                                                                            *)
(* C2_same_outputs == the hardcoded net has the same training outputs         *)
(*    C2_same_loss == and the same value of every functional of the training  *)
(*                    outputs, whatever its type                              *)
(*     C2_same_mse == the instance of the loss L                              *)
(* C2_any_architecture == the same for any model that reads one component     *)
(*                    through its output only                                 *)
(*      values p x known == the values of a program at the input x: nodes in  *)
(*                    order, each of which reads the input and the nodes      *)
(*                    before it                                               *)
(*    hardcoded K i p == the program with constants for the nodes k of which  *)
(*                    K k is Some v; i is the number of its first node        *)
(*      C2_program == if these nodes have these values at x, no node has      *)
(*                    another value there; by induction on the nodes          *)
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

(* Any architecture: V may be a sum of types, and what a reader receives from *)
(* several units is the value of a node of its own.                           *)
Section Program.

Variables (X V : Type) (K : nat -> option V) (v0 : V).
Implicit Types (p : seq (X -> seq V -> V)) (known : seq V).

Fixpoint values p x known :=
  if p is f :: p' then values p' x (rcons known (f x known)) else known.

Fixpoint hardcoded i p :=
  if p is f :: p' then
    (if K i is Some v then fun _ _ => v else f) :: hardcoded i.+1 p'
  else [::].

Lemma values_known p x known i :
  (i < size known)%N -> nth v0 (values p x known) i = nth v0 known i.
Proof.
elim: p known => //= f p IH known lt_i.
by rewrite IH; [rewrite nth_rcons lt_i|rewrite size_rcons ltnS ltnW].
Qed.

Theorem C2_program p x known :
  (forall i v, K i = Some v -> (size known <= i < size known + size p)%N ->
     nth v0 (values p x known) i = v) ->
  values (hardcoded (size known) p) x known = values p x known.
Proof.
elim: p known => //= f p IH known same.
have -> : (if K (size known) is Some v then fun _ _ => v else f) x known = f x known.
  case Ki: (K (size known)) => [v|//]; rewrite -(same _ _ Ki); last first.
    by rewrite leqnn addnS ltnS leq_addr.
  by rewrite /= values_known ?size_rcons // nth_rcons ltnn eqxx.
rewrite -(size_rcons known (f x known)); apply: IH => i v Ki.
rewrite size_rcons => /andP[lt_i i_lt]; apply: same Ki _.
by rewrite (ltnW lt_i) addnS -addSn.
Qed.

End Program.
