(******************************************************************************)
(* C16 for the class of deep nets of c2_deep.v: C7 and C8 for circuits with a *)
(* unit in every hidden layer.                                                *)
(*                                                                            *)
(*       meets J == J has a unit in every hidden layer                        *)
(*    deep_loss z y p == L; deep_minimiser z y p: least in the architecture   *)
(*     C16_reassign == C7: such a circuit, if idle, can be reassigned to      *)
(*                    lower the loss, if L > E                                *)
(*      C16_no_idle == C8: so no minimiser of the architecture has one        *)
(* C16_no_removable == nor one that can be replaced by constants at no loss   *)
(*       C16_upper == the same for the layers above any others, with E taken  *)
(*                    over what they read; with one hidden layer there this   *)
(*                    is C27_last_layer                                       *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c2_deep c6_underparameterised c16_depth.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Deep.

Variables (R : realFieldType) (m : nat).

Fixpoint meets (ws : seq nat) : circ ws -> Prop :=
  match ws return circ ws -> Prop with
  | [::] => fun _ => True
  | l :: ws' => fun J => J.1 != set0 /\ meets J.2
  end.

(* A unit of each layer carries the value t of unit j to the output.          *)
Lemma carried k ws (K : {set 'I_k}) (p : params R m k ws) J j (a : 'rV[R]_m) :
  unread_deep K p J -> meets J -> j \in K ->
  exists p', off_deep K p p' J /\
    forall (h h' : 'rV[R]_k) t, 0 <= t -> h' 0 j = t ->
      (forall r, r \notin K -> h' 0 r = h 0 r) -> out p' h' = out p h + t *: a.
Proof.
elim: ws => [|l ws IH] /= in k K p J j *.
  move=> no _ jK; exists (\matrix_(r, i) (if r == j then a 0 i else p.1 r i), p.2).
  split=> [r i rK|h h' t _ h'j eq_h]; first by rewrite mxE; case: eqP rK => // ->; rewrite jK.
  rewrite /= addrAC; congr (_ + _); apply/rowP => i; rewrite !mxE.
  rewrite (bigD1 j) //= mxE eqxx h'j addrC; congr (_ + _).
  rewrite [RHS](bigD1 j) //= no // mulr0 add0r; apply: eq_bigr => r /negbTE rj.
  by rewrite mxE rj; have [rK|rK] := boolP (r \in K); [rewrite no // !mulr0|rewrite eq_h].
move=> [no nos] [/set0Pn[j1 j1J] met] jK.
have [p' [off' carry]] := IH _ _ _ _ _ nos met j1J.
exists (\matrix_(r, i) (if i == j1 then (r == j)%:R else p.1.1 r i),
        \row_i (if i == j1 then 0 else p.1.2 0 i), p'); split.
  split=> // r i rK iJ; rewrite mxE; case: eqP iJ => // ->; by rewrite j1J.
move=> h h' t t_ge0 h'j eq_h /=; apply: carry => //.
  rewrite !mxE eqxx addr0 (bigD1 j) //= mxE !eqxx mulr1 big1 ?addr0 => [|r rj].
    by rewrite h'j relu_id.
  by rewrite mxE eqxx (negbTE rj) mulr0.
move=> i iJ; have i_j1 : (i == j1) = false by apply: contraNF iJ => /eqP->.
rewrite !mxE i_j1; congr (relu (_ + _)); apply: eq_bigr => r _; rewrite mxE i_j1.
by have [rK|rK] := boolP (r \in K); [rewrite no // !mulr0|rewrite eq_h].
Qed.

Lemma off_deep_trans k ws (K : {set 'I_k}) (p p' p'' : params R m k ws) J :
  off_deep K p p' J -> off_deep K p' p'' J -> off_deep K p p'' J.
Proof.
elim: ws => [|l ws IH] /= in k K p p' p'' J *.
  by move=> off1 off2 r i rK; rewrite off2 ?off1.
move=> [off1 offs1] [off2 offs2]; split=> [r i rK iJ|]; first by rewrite off2 ?off1.
exact: IH offs1 offs2.
Qed.

Variables (d N : nat) (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).
Variables (n : nat) (ws : seq nat).

(* The class: at least one hidden layer, of width n, and those of ws above.   *)
Implicit Types (p : params R m d (n :: ws)) (J : circ (n :: ws)).

Definition deep_loss p := mse z y (out p).

Definition deep_minimiser p := forall p', deep_loss p <= deep_loss p'.

Lemma mse_outputs f g : (forall e, f (z e) = g (z e)) -> mse z y f = mse z y g.
Proof. by move=> same; congr (_ * _); apply: eq_bigr => e _; rewrite same. Qed.

Theorem C16_reassign p J v : idle_deep set0 p J v z -> meets J ->
  floor z y < deep_loss p ->
  exists p', off_deep set0 p p' J /\ deep_loss p' < deep_loss p.
Proof.
move=> idle met; pose q := cut_deep set0 p J v.
have same : deep_loss q = deep_loss p by apply: mse_outputs; apply: C2_deep idle.
rewrite -same => lt_E.
have [e res_e] : exists e, gsum (id \o z) (fun e' => y e' - out q (z e')) (z e) != 0.
  case: (pickP (fun e => gres z y (out q) (z e) != 0)) => [e res_e|res0].
    exists e; rewrite -gmean_eq0; move: res_e.
    by rewrite -(gres_gmean z y (out q)).
  move: lt_E => /lt_eqF/eqP[]; apply/esym/C6_zero_iff => e.
  by apply/eqP; move/negbFE: (res0 e).
have [|w [b [a lt_a]]] := @C16_descent _ _ _ _ z y (out q) _ id.
  by exists e.
have := unread_cut set0 p J v; rewrite -/q /= => -[_ nos].
move: met => /= [/set0Pn[j jJ] met].
have [p' [off' carry]] := carried a nos met jJ.
pose W : 'M[R]_(d, n) := \matrix_(r, i) if i == j then w 0 r else q.1.1 r i.
pose c : 'rV[R]_n := \row_i if i == j then b else q.1.2 0 i.
exists (W, c, p'); split.
  apply: off_deep_trans (off_cut set0 p J v) _; rewrite -/q; split=> // r i _ iJ.
  by rewrite mxE; case: eqP iJ => // ->; rewrite jJ.
have phiE x : (const_mx (relu (dot w x + b)) : 'rV[R]_1) 0 0 = relu (dot w x + b).
  by rewrite mxE.
have := lt_a _ _ (@Last R 1) 0 0 _ erefl phiE; apply: le_lt_trans; rewrite le_eqVlt.
apply/orP; left; apply/eqP/mse_outputs => e' /=; rewrite mxE.
apply: carry; first exact: relu_ge0.
  rewrite !mxE eqxx; congr (relu (_ + b)); rewrite dotC; apply: eq_bigr => r _.
  by rewrite mxE eqxx.
move=> i iJ; have ij : (i == j) = false by apply: contraNF iJ => /eqP->.
rewrite !mxE ij; congr (relu (_ + _)); apply: eq_bigr => r _.
by rewrite [in LHS]mxE ij.
Qed.

Theorem C16_no_idle p J v : floor z y < deep_loss p -> deep_minimiser p ->
  meets J -> ~ idle_deep set0 p J v z.
Proof.
move=> lt_E min_p met idle; have [p' [_]] := C16_reassign idle met lt_E.
by rewrite ltNge min_p.
Qed.

Theorem C16_no_removable p J v : floor z y < deep_loss p -> deep_minimiser p ->
  meets J -> deep_loss p < deep_loss (cut_deep set0 p J v).
Proof.
move=> lt_E min_p met; rewrite lt_neqAle min_p andbT; apply/negP => /eqP same.
apply: (@C16_no_idle (cut_deep set0 p J v) J (no_value R m (n :: ws))) => //.
- by rewrite -same.
- by move=> p'; rewrite -same.
exact/idle_unread/unread_cut.
Qed.

End Deep.

(* The layers above any others, with all parameters of which they are best.   *)
Theorem C16_upper (R : realFieldType) (X P : Type) (k m N n : nat) (ws : seq nat)
    (z : 'I_N -> X) (y : 'I_N -> 'rV[R]_m) (feat : P -> X -> 'rV[R]_k)
    (q : P) (p : params R m k (n :: ws)) :
  floor (feat q \o z) y < deep_loss (feat q \o z) y p ->
  (forall q' (p' : params R m k (n :: ws)),
     deep_loss (feat q \o z) y p <= deep_loss (feat q' \o z) y p') ->
  forall J v, meets J -> deep_loss (feat q \o z) y p
    < deep_loss (feat q \o z) y (cut_deep set0 p J v).
Proof.
by move=> lt_E min_p J v; apply: C16_no_removable => // p'; apply: min_p.
Qed.
