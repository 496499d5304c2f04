(******************************************************************************)
(* C27 (iii) in graphs of layers: the last hidden layer as nodes, and the     *)
(* channels of a convolution as units that are read at several patches.       *)
(*                                                                            *)
(*  reads us p x == the values of the units us of the graph p at x, in a row  *)
(* top us i theta == three nodes, the first of number i: the hidden units of  *)
(*                  theta before ReLU, after it, and the outputs              *)
(* C27_graph_last == on a graph p, with i = size p, the last of them puts out *)
(*                  what theta does on reads us p x: so C27_last_layer.v is   *)
(*                  about graphs with such a top                              *)
(*   conv_patch x p == what a convolution reads from position p               *)
(*     C27_conv_unit == its channel o at p is the pre-activation of one unit  *)
(*                  there, whose weights are the same at all p                *)
(*  C27_conv_channel == so what a channel sends through ReLU, any weights lam *)
(*                  of positions (average pooling, or one position alone) and *)
(*                  an affine readout is what C27_channel reuses              *)
(* conv_net w a c t == the outputs of such a net with the last hidden layer w *)
(* C27_conv_reassign == C7: idle channels J of w can be reused to lower the   *)
(*                  loss by another kernel, bias and readout of J alone, if   *)
(*                  the residuals do not sum to 0 on some patch               *)
(* C27_conv_no_idle, C27_conv_no_removable == C8: so no best net has idle     *)
(*                  channels there, nor such that a constant can replace at   *)
(*                  no loss                                                   *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c2_irrelevance graph c2_conv.
From absence Require Import c27_last_layer.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Top.

Variables (R : realFieldType) (X : Type) (k m n : nat).
Variables (us : k.-tuple (nat * nat)).
Implicit Types (p : seq (X -> seq (seq R) -> seq R)) (x : X) (theta : net R k m n).

Definition reads p x : 'rV[R]_k := \row_l at_unit (run p x) (tnth us l).

Definition hidden theta : seq (row R) :=
  [seq ([seq (tnth us l, inw theta j 0 l) | l <- enum 'I_k], bias theta j)
  | j <- enum 'I_n].

Definition outputs i theta : seq (row R) :=
  [seq ([seq ((i, val j), outw theta j 0 o) | j <- enum 'I_n], shift theta 0 o)
  | o <- enum 'I_m].

Definition top i theta : seq (X -> seq (seq R) -> seq R) :=
  [:: affine (hidden theta);
      pointwise (@relu R) [seq (i, val j) | j <- enum 'I_n];
      affine (outputs i.+1 theta)].

Theorem C27_graph_last p theta x o :
  at_unit (run (p ++ top (size p) theta) x) ((size p).+2, val o)
  = eval theta (reads p x) 0 o.
Proof.
rewrite /top -!cat_rcons cats0 !run_rcons /at_unit /=.
set h := run p x; set h1 := rcons h _; set h2 := rcons h1 _.
have size_h : size h = size p by apply: size_run.
have hid j : at_unit h1 (size p, val j) = dot (inw theta j) (reads p x) + bias theta j.
  rewrite /at_unit /= nth_rcons size_h ltnn eqxx /affine /hidden -map_comp.
  rewrite (nth_map j) ?size_enum_ord // nth_ord_enum /pre /= big_map; congr (_ + _).
  by rewrite big_enum; apply: eq_bigr => l _; rewrite mxE.
have act_j j : at_unit h2 ((size p).+1, val j) = act theta j (reads p x).
  rewrite /at_unit /= nth_rcons size_rcons size_h ltnn eqxx /pointwise -map_comp.
  by rewrite (nth_map j) ?size_enum_ord // nth_ord_enum /= hid.
rewrite nth_rcons !size_rcons size_h ltnn eqxx /affine /outputs -map_comp.
rewrite (nth_map o) ?size_enum_ord // nth_ord_enum /pre /= big_map addrC.
rewrite /eval [RHS]mxE; congr (_ + _); rewrite big_enum summxE.
by apply: eq_bigr => j _; rewrite mxE act_j mulrC.
Qed.

End Top.

Section Conv.

Variables (R : realFieldType) (C O K P Q : finType) (place : P -> K -> option Q).
Implicit Types (w : conv R C O K) (x : C -> Q -> R).

Definition conv_patch p x : 'rV[R]_#|{: C * K}| :=
  \row_t padded place x p (enum_val t).2 (enum_val t).1.

Definition conv_weights w o : 'rV[R]_#|{: C * K}| :=
  \row_t kernel w o (enum_val t).1 (enum_val t).2.

Theorem C27_conv_unit w x o p :
  conv_at place w x o p = dot (conv_weights w o) (conv_patch p x) + biases w o.
Proof.
congr (_ + _); rewrite pair_bigA /= (reindex (@enum_val _ {: C * K})) /=.
  by apply: eq_bigr => t _; rewrite !mxE.
by apply: onW_bij; exists enum_rank; [apply: enum_valK|apply: enum_rankK].
Qed.

Theorem C27_conv_channel w x o (lam : P -> R) :
  \sum_p lam p * relu (conv_at place w x o p)
  = pooled conv_patch lam (conv_weights w o) (biases w o) x.
Proof. by apply: eq_bigr => p _; rewrite C27_conv_unit. Qed.

(* The last hidden layer is this convolution, of the values feat below it; lam *)
(* are the weights of its positions. J are channels.                          *)
Variables (X : Type) (m N : nat) (z : 'I_N -> X) (y : 'I_N -> 'rV[R]_m).
Variables (feat : X -> C -> Q -> R) (lam : P -> R).
Implicit Types (a : O -> 'rV[R]_m) (c : 'rV[R]_m) (J : {set O}).

Definition channel w o t := \sum_p lam p * relu (conv_at place w (feat t) o p).

Definition conv_net w a c t := c + \sum_o channel w o t *: a o.

Definition conv_idle w a J := exists v, forall i,
  \sum_(o in J) channel w o (z i) *: a o = v.

Definition conv_off J w a w' a' := forall o, o \notin J ->
  [/\ kernel w' o = kernel w o, biases w' o = biases w o & a' o = a o].

Definition patches p t := conv_patch p (feat t).

Theorem C27_conv_reassign w a c J : J != set0 -> conv_idle w a J ->
  (exists i p, patch_sum z y patches lam (conv_net w a c) (patches p (z i)) != 0) ->
  exists w' a' c', conv_off J w a w' a'
    /\ error z y (conv_net w' a' c') < error z y (conv_net w a c).
Proof.
move=> /set0Pn[o0 o0J] [v idle] seen.
pose part t := \sum_(o in J) channel w o t *: a o.
pose rest t := c + \sum_(o | o \notin J) channel w o t *: a o.
have parted t : conv_net w a c t = rest t + part t.
  by rewrite /conv_net (bigID (mem J)) /= [X in c + X]addrC addrA.
have [|u [b [a0]]] := @C27_channel _ _ _ _ _ _ z y patches lam rest part v idle.
  move: seen => [i [p seen]]; exists i, p; apply: contraNneq seen => <-.
  by apply/eqP/eq_bigr => j _; apply: eq_bigr => q _; rewrite -parted.
pose w' := Conv (fun o e k => if o == o0 then u 0 (enum_rank (e, k)) else kernel w o e k)
                (fun o => if o == o0 then b else biases w o).
pose a' o := if o == o0 then a0 else if o \in J then 0 else a o.
have other o : o \notin J -> (o == o0) = false by move=> oJ; apply: contraNF oJ => /eqP->.
move=> lt_a; exists w', a', (c + v); split=> [o oJ|].
  by rewrite /= /a' (other o oJ) (negbTE oJ).
have -> : error z y (conv_net w a c) = error z y (fun t => rest t + part t).
  by congr (_ * _); apply: eq_bigr => i _; rewrite parted.
apply: le_lt_trans lt_a; rewrite le_eqVlt; apply/orP; left; apply/eqP.
congr (_ * _); apply: eq_bigr => i _; congr (normsq (_ - _)).
rewrite /conv_net /rest (bigID (mem J)) /= [X in _ + X = _]addrC addrACA -[RHS]addrA.
congr (_ + _ + (_ + _)).
  apply: eq_bigr => o oJ; rewrite /a' (other o oJ) (negbTE oJ); congr (_ *: _).
  by apply: eq_bigr => p _; rewrite /conv_at /= (other o oJ).
rewrite (bigD1 o0) //= [X in _ + X]big1 ?addr0 => [|o /andP[oJ /negbTE oo0]]; last first.
  by rewrite /a' oo0 oJ scaler0.
rewrite /a' eqxx; congr (_ *: _); rewrite /channel C27_conv_channel /pooled /=.
apply: eq_bigr => p _; rewrite eqxx; congr (_ * relu (dot _ _ + _)).
by apply/rowP => t; rewrite mxE /= eqxx -surjective_pairing enum_valK.
Qed.

Definition conv_best w a c := forall w' a' c',
  error z y (conv_net w a c) <= error z y (conv_net w' a' c').

Theorem C27_conv_no_idle w a c J : conv_best w a c ->
  (exists i p, patch_sum z y patches lam (conv_net w a c) (patches p (z i)) != 0) ->
  J != set0 -> ~ conv_idle w a J.
Proof.
move=> best seen J_neq0 idle.
have [w' [a' [c' [_]]]] := C27_conv_reassign J_neq0 idle seen.
by rewrite ltNge best.
Qed.

Definition unsent a J o := if o \in J then 0 else a o.

Theorem C27_conv_no_removable w a c J v : conv_best w a c ->
  (exists i p, patch_sum z y patches lam (conv_net w (unsent a J) (c + v))
     (patches p (z i)) != 0) ->
  J != set0 -> error z y (conv_net w a c) < error z y (conv_net w (unsent a J) (c + v)).
Proof.
move=> best seen J_neq0.
have [|w' [a' [c' [_ lt_c']]]] := @C27_conv_reassign w (unsent a J) (c + v) J J_neq0 _ seen.
  by exists 0 => i; apply: big1 => o oJ; rewrite /unsent oJ scaler0.
exact: le_lt_trans (best w' a' c') lt_c'.
Qed.

End Conv.
