(******************************************************************************)
(* C2 and C3 for a class of deep nets, and circuits that lie in several of    *)
(* their layers. A list ws of widths is an architecture: two nets of it have  *)
(* the same layers and widths, and differ in parameters alone.                *)
(*                                                                            *)
(* params R m k ws == the nets from width k through ReLU layers of the widths *)
(*                    ws to m affine outputs                                  *)
(*        out p h == the output at the values h of the lowest layer           *)
(*        circ ws == a circuit: a set of units in each hidden layer           *)
(*    received ws == a value for each unit above, for what it receives        *)
(* idle_deep K p J v h == J, with K in the layer below, is train-idle at v:   *)
(*                    each unit above that is not in J receives one value     *)
(*                    from it on all examples, whose values below are h       *)
(* cut_deep K p J v == J hardcoded: no unit outside reads it, and v is added  *)
(*                    to the biases                                           *)
(* unread_deep K p J == no unit outside J reads a unit of J                   *)
(*   off_deep K p p' J == the weights between units outside J are the same    *)
(*                    (those at J, and biases, may differ)                    *)
(* alike_deep K p p' J == and the biases of units outside J                   *)
(*        C2_deep == hardcoding an idle circuit changes no training output;   *)
(*                    by induction on the layers                              *)
(*        C3_deep == what J does is then of no importance                     *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Deep.

Variables (R : realFieldType) (m : nat).

Fixpoint params (k : nat) (ws : seq nat) : Type :=
  if ws is l :: ws' then ('M[R]_(k, l) * 'rV[R]_l * params l ws')%type
  else ('M[R]_(k, m) * 'rV[R]_m)%type.

Fixpoint circ (ws : seq nat) : Type :=
  if ws is l :: ws' then ({set 'I_l} * circ ws')%type else unit.

Fixpoint received (ws : seq nat) : Type :=
  if ws is l :: ws' then ('rV[R]_l * received ws')%type else 'rV[R]_m.

Definition layer k l (W : 'M[R]_(k, l)) (b : 'rV[R]_l) (h : 'rV[R]_k) : 'rV[R]_l :=
  map_mx (@relu R) (h *m W + b).

Fixpoint out k ws : params k ws -> 'rV[R]_k -> 'rV[R]_m :=
  match ws return params k ws -> 'rV[R]_k -> 'rV[R]_m with
  | [::] => fun p h => h *m p.1 + p.2
  | l :: ws' => fun p h => out p.2 (layer p.1.1 p.1.2 h)
  end.

(* What column i receives from the units of K.                                *)
Definition sent k l (K : {set 'I_k}) (W : 'M[R]_(k, l)) (h : 'rV[R]_k) i :=
  \sum_(r in K) h 0 r * W r i.

Fixpoint idle_deep N k ws (K : {set 'I_k}) :
    params k ws -> circ ws -> received ws -> ('I_N -> 'rV[R]_k) -> Prop :=
  match ws return params k ws -> circ ws -> received ws -> ('I_N -> 'rV[R]_k) -> Prop with
  | [::] => fun p _ v h => forall e i, sent K p.1 (h e) i = v 0 i
  | l :: ws' => fun p J v h =>
      (forall e i, i \notin J.1 -> sent K p.1.1 (h e) i = v.1 0 i) /\
      idle_deep J.1 p.2 J.2 v.2 (fun e => layer p.1.1 p.1.2 (h e))
  end.

Definition unread k l (K : {set 'I_k}) (J : {set 'I_l}) (W : 'M[R]_(k, l)) :=
  \matrix_(r, i) if (r \in K) && (i \notin J) then 0 else W r i.

Definition raised l (J : {set 'I_l}) (b v : 'rV[R]_l) : 'rV[R]_l :=
  \row_i if i \in J then b 0 i else b 0 i + v 0 i.

Fixpoint cut_deep k ws (K : {set 'I_k}) :
    params k ws -> circ ws -> received ws -> params k ws :=
  match ws return params k ws -> circ ws -> received ws -> params k ws with
  | [::] => fun p _ v => (unread K set0 p.1, raised set0 p.2 v)
  | l :: ws' => fun p J v =>
      (unread K J.1 p.1.1, raised J.1 p.1.2 v.1, cut_deep J.1 p.2 J.2 v.2)
  end.

(* No unit outside the circuit reads it.                                      *)
Fixpoint unread_deep k ws (K : {set 'I_k}) : params k ws -> circ ws -> Prop :=
  match ws return params k ws -> circ ws -> Prop with
  | [::] => fun p _ => forall r i, r \in K -> p.1 r i = 0
  | l :: ws' => fun p J =>
      (forall r i, r \in K -> i \notin J.1 -> p.1.1 r i = 0) /\ unread_deep J.1 p.2 J.2
  end.

Fixpoint off_deep k ws (K : {set 'I_k}) : params k ws -> params k ws -> circ ws -> Prop :=
  match ws return params k ws -> params k ws -> circ ws -> Prop with
  | [::] => fun p p' _ => forall r i, r \notin K -> p'.1 r i = p.1 r i
  | l :: ws' => fun p p' J =>
      (forall r i, r \notin K -> i \notin J.1 -> p'.1.1 r i = p.1.1 r i) /\
      off_deep J.1 p.2 p'.2 J.2
  end.

(* The same biases too, outside J.                                            *)
Fixpoint alike_deep k ws (K : {set 'I_k}) : params k ws -> params k ws -> circ ws -> Prop :=
  match ws return params k ws -> params k ws -> circ ws -> Prop with
  | [::] => fun p p' _ => (forall r i, r \notin K -> p'.1 r i = p.1 r i) /\ p'.2 = p.2
  | l :: ws' => fun p p' J =>
      [/\ forall r i, r \notin K -> i \notin J.1 -> p'.1.1 r i = p.1.1 r i,
          forall i, i \notin J.1 -> p'.1.2 0 i = p.1.2 0 i
        & alike_deep J.1 p.2 p'.2 J.2]
  end.

Fixpoint no_value ws : received ws :=
  match ws return received ws with
  | [::] => 0
  | l :: ws' => (0, no_value ws')
  end.

Lemma unread_sum k l (K : {set 'I_k}) (J : {set 'I_l}) W (h : 'rV[R]_k) i :
  i \notin J -> (h *m unread K J W) 0 i = (h *m W) 0 i - sent K W h i.
Proof.
move=> iJ; rewrite !mxE (bigID (mem K)) /= big1 ?add0r => [|r rK]; last first.
  by rewrite mxE rK iJ mulr0.
rewrite [X in _ = X - _](bigID (mem K)) /= addrAC subrr add0r.
by apply: eq_bigr => r /negbTE rK; rewrite mxE rK.
Qed.

Lemma unread_in k l (K : {set 'I_k}) (J : {set 'I_l}) W (h : 'rV[R]_k) i :
  i \in J -> (h *m unread K J W) 0 i = (h *m W) 0 i.
Proof.
by move=> iJ; rewrite !mxE; apply: eq_bigr => r _; rewrite mxE iJ andbF.
Qed.

Theorem C2_deep N k ws (K : {set 'I_k}) (p : params k ws) J v
    (h : 'I_N -> 'rV[R]_k) :
  idle_deep K p J v h -> forall e, out (cut_deep K p J v) (h e) = out p (h e).
Proof.
elim: ws => [|l ws IH] /= in k K p J v h *.
  move=> idle e; apply/rowP => i; rewrite [LHS]mxE [RHS]mxE.
  rewrite unread_sum ?inE // idle [raised _ _ _ _ _]mxE inE.
  by rewrite addrACA addNr addr0.
move=> [idle rest] e; rewrite -(IH _ _ _ _ _ _ rest e); congr (out _ _).
apply/rowP => i; rewrite !mxE; congr (relu _).
have [iJ|iJ] := boolP (i \in J.1).
  by have := @unread_in _ _ K J.1 p.1.1 (h e) _ iJ; rewrite !mxE => ->.
have := @unread_sum _ _ K J.1 p.1.1 (h e) _ iJ.
by rewrite idle // !mxE => ->; rewrite addrACA addNr addr0.
Qed.

(* What units outside the circuit see of two nets that differ on it.          *)
Lemma same_sum k l (K : {set 'I_k}) (W W' : 'M[R]_(k, l)) (h h' : 'rV[R]_k) i :
  (forall r, r \notin K -> h' 0 r = h 0 r /\ W' r i = W r i) ->
  (forall r, r \in K -> W r i = 0 /\ W' r i = 0) ->
  (h' *m W') 0 i = (h *m W) 0 i.
Proof.
move=> outside inside; rewrite !mxE; apply: eq_bigr => r _.
by have [/inside[-> ->]|/outside[-> ->]] := boolP (r \in K); rewrite ?mulr0.
Qed.

Theorem C3_deep k ws (K : {set 'I_k}) (p p' : params k ws) J (h h' : 'rV[R]_k) :
  unread_deep K p J -> unread_deep K p' J -> alike_deep K p p' J ->
  (forall r, r \notin K -> h' 0 r = h 0 r) -> out p' h' = out p h.
Proof.
elim: ws => [|l ws IH] /= in k K p p' J h h' *.
  move=> no no' [same ->] eq_h; congr (_ + _); apply/rowP => i.
  by apply: (@same_sum _ _ K) => r rK; [rewrite eq_h // same|rewrite no // no'].
move=> [no nos] [no' nos'] [same sameb sames] eq_h.
apply: IH nos nos' sames _ => i iJ; rewrite !mxE sameb //; congr (relu (_ + _)).
have := @same_sum _ _ K p.1.1 p'.1.1 h h' i; rewrite !mxE; apply=> r rK.
  by rewrite eq_h // same.
by rewrite no // no'.
Qed.

Lemma unread_cut k ws (K : {set 'I_k}) (p : params k ws) J v :
  unread_deep K (cut_deep K p J v) J.
Proof.
elim: ws => [|l ws IH] /= in k K p J v *; first by move=> r i rK; rewrite mxE rK inE.
by split=> [r i rK iJ|]; [rewrite mxE rK iJ|apply: IH].
Qed.

Lemma off_cut k ws (K : {set 'I_k}) (p : params k ws) J v :
  off_deep K p (cut_deep K p J v) J.
Proof.
elim: ws => [|l ws IH] /= in k K p J v *.
  by move=> r i /negbTE rK; rewrite mxE rK.
by split=> [r i /negbTE rK _|]; [rewrite mxE rK|apply: IH].
Qed.

Lemma idle_unread N k ws (K : {set 'I_k}) (p : params k ws) J (h : 'I_N -> 'rV[R]_k) :
  unread_deep K p J -> idle_deep K p J (no_value ws) h.
Proof.
elim: ws => [|l ws IH] /= in k K p J h *.
  by move=> no e i; rewrite mxE; apply: big1 => r rK; rewrite no ?mulr0.
move=> [no nos]; split=> [e i iJ|]; last exact: IH nos.
by rewrite mxE; apply: big1 => r rK; rewrite no ?mulr0.
Qed.

End Deep.
