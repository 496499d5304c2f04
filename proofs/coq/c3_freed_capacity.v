(******************************************************************************)
(* C3, freed capacity: after hardcoding, the input weights and biases of the  *)
(* circuit are free, and its units may be removed.                            *)
(*                                                                            *)
(*        C3_free == the units of J may take any input weights and biases:    *)
(*                   no output changes, on no input                           *)
(*     C3_smaller == the function of the hardcoded net is in S_(n - |J|)      *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section FreedCapacity.

Variables (R : realFieldType) (d m n : nat) (theta : net R d m n).
Variables (J : {set 'I_n}) (v : 'rV[R]_m).

(* reassign with the output weights and the shift that hardcode left there.   *)
Theorem C3_free w b x :
  eval (reassign (hardcode theta J v) J w b (fun=> 0) (shift theta + v)) x
  = eval (hardcode theta J v) x.
Proof.
rewrite eval_hardcode (eval_circuit _ J) /=.
rewrite (circuit_out_off _ (@off_reassign _ _ _ _ _ _ _ _ _ _)).
rewrite (circuit_out_off _ (@off_hardcode _ _ _ _ _ _ _)).
by rewrite [X in _ + X + _]big1 ?addr0 // => j /= ->; rewrite scaler0.
Qed.

Lemma card_rest : #|~: J| = (n - #|J|)%N.
Proof. by rewrite cardsCs setCK card_ord. Qed.

Theorem C3_smaller : exists theta' : net R d m (n - #|J|),
  forall x, eval theta' x = eval (hardcode theta J v) x.
Proof.
rewrite -card_rest; exists (keep theta (~: J) (shift theta + v)) => x.
by rewrite eval_keep eval_hardcode.
Qed.

End FreedCapacity.
