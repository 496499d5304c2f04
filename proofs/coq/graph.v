(******************************************************************************)
(* Graphs of layers: a program (c2_irrelevance.v) whose nodes have vectors as *)
(* values. A node reads the input x and the values of the nodes before it; a  *)
(* unit (i, e) is entry e of node i, such as a channel at a position.         *)
(*                                                                            *)
(*        run p x == the values of all nodes at x                             *)
(*    at_unit h u == the value of the unit u among the values h               *)
(*    is_unit h u == there is such a unit                                     *)
(*          row R == an entry of an affine node: weights of units, and a bias *)
(*        pre h r == the value of that entry                                  *)
(*    affine rows == a node of such entries: Conv with any padding, stride,   *)
(*                   dilation and groups, dense layers, BatchNormalization,   *)
(*                   average pooling, Add, Sub, Concat, Reshape, Transpose,   *)
(*                   Slice, Pad                                               *)
(* pointwise s us == ReLU, LeakyReLU, Clip, or any function s, of units us    *)
(*  greatest t ts == the greatest of t and ts                                 *)
(*     maxpool ws == the greatest of the units of each window of ws           *)
(*       kind R X == an affine node, of which we see the weights, or any other*)
(*       graph ks == the graph of the nodes ks                                *)
(*   agree J h h' == h and h' are equal at the units that are not in J        *)
(*   unread J i f == the entries of node i that are not in J do not depend on *)
(*                   the units of J; unread_in J p: so it is for all nodes    *)
(*    alike J p q == the entries that are not in J are the same functions     *)
(*       same_run == nodes with equal values on the values of p: same values  *)
(*      agree_run == the same outside J, by induction on the nodes            *)
(* unread_affine, unread_pointwise, unread_maxpool == unread can be seen from *)
(*                   the units that a node lists                              *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c2_irrelevance.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Graph.

Variables (R : realFieldType) (X : Type).

(* The values of the nodes, each read out flat.                               *)
Notation state := (seq (seq R)).
Notation node := (X -> state -> seq R).

Implicit Types (p q : seq node) (f g : node) (x : X) (h : state) (u : nat * nat).

Definition run p x : state := values p x [::].

Definition at_unit (h : state) (u : nat * nat) : R := nth 0 (nth [::] h u.1) u.2.

Definition is_unit (h : state) (u : nat * nat) :=
  (u.1 < size h)%N && (u.2 < size (nth [::] h u.1))%N.

Definition no_node : node := fun _ _ => [::].

Lemma values_rcons p f x h :
  values (rcons p f) x h = rcons (values p x h) (f x (values p x h)).
Proof. by elim: p h => //= g p IH h; rewrite IH. Qed.

Lemma values_cat p q x h : values (p ++ q) x h = values q x (values p x h).
Proof. by elim: p h => //= f p IH h; rewrite IH. Qed.

Lemma run_rcons p f x : run (rcons p f) x = rcons (run p x) (f x (run p x)).
Proof. exact: values_rcons. Qed.

Lemma size_run p x : size (run p x) = size p.
Proof. by elim/last_ind: p => // p f IH; rewrite run_rcons !size_rcons IH. Qed.

Lemma take_rcons (T : Type) i (s : seq T) a : (i <= size s)%N ->
  take i (rcons s a) = take i s.
Proof. by move=> le_i; rewrite -cats1 takel_cat. Qed.

Lemma nth_run p x i : (i < size p)%N ->
  nth [::] (run p x) i = nth no_node p i x (run (take i p) x).
Proof.
elim/last_ind: p => // p f IH; rewrite size_rcons ltnS leq_eqVlt run_rcons.
rewrite !nth_rcons size_run => /predU1P[->|lt_i].
  by rewrite ltnn eqxx take_rcons ?take_size.
by rewrite lt_i IH // take_rcons // ltnW.
Qed.

(* Nodes that have the same values on the values of p.                        *)
Lemma same_run p q x : size q = size p ->
  (forall i, (i < size p)%N ->
     nth no_node q i x (run (take i p) x) = nth no_node p i x (run (take i p) x)) ->
  run q x = run p x.
Proof.
elim/last_ind: p q => [[]//|p f IH q]; case: (lastP q) => [|{}q g].
  by rewrite size_rcons.
rewrite !size_rcons => -[eq_size] same; rewrite !run_rcons.
have -> : run q x = run p x.
  apply: (IH _ eq_size) => i lt_i; have := same i (ltnW lt_i).
  by rewrite !nth_rcons eq_size lt_i take_rcons // ltnW.
congr (rcons _ _); have := same (size p) (ltnSn _).
by rewrite !nth_rcons eq_size ltnn eqxx take_rcons // take_size.
Qed.

(* Kinds of nodes                                                             *)

Definition row : Type := seq ((nat * nat) * R) * R.

Definition pre (h : state) (r : row) := \sum_(t <- r.1) t.2 * at_unit h t.1 + r.2.

Definition affine (rows : seq row) : node := fun _ h => map (pre h) rows.

Definition pointwise (s : R -> R) (us : seq (nat * nat)) : node :=
  fun _ h => [seq s (at_unit h u) | u <- us].

Fixpoint greatest (t : R) (ts : seq R) :=
  if ts is t' :: ts' then Num.max t (greatest t' ts') else t.

Definition maxpool (ws : seq ((nat * nat) * seq (nat * nat))) : node := fun _ h =>
  [seq greatest (at_unit h w.1) (map (at_unit h) w.2) | w <- ws].

Inductive kind := Affine of seq row | Other of node.

Definition function k := if k is Other f then f else
  if k is Affine rows then affine rows else no_node.

Definition graph (ks : seq kind) := map function ks.

(* Circuits                                                                   *)

Section Circuit.

Variable J : seq (nat * nat).

Definition agree (h h' : state) :=
  size h' = size h /\ forall u, u \notin J -> at_unit h' u = at_unit h u.

Definition unread i (f : node) := forall x h h', agree h h' ->
  forall e, (i, e) \notin J -> nth 0 (f x h') e = nth 0 (f x h) e.

Definition unread_in p := forall i, unread i (nth no_node p i).

Definition alike p q := size q = size p /\ forall i x h e, (i, e) \notin J ->
  nth 0 (nth no_node q i x h) e = nth 0 (nth no_node p i x h) e.

Lemma agree_run p q x : size q = size p ->
  (forall i h', (i < size p)%N -> agree (run (take i p) x) h' ->
     forall e, (i, e) \notin J ->
     nth 0 (nth no_node q i x h') e
       = nth 0 (nth no_node p i x (run (take i p) x)) e) ->
  agree (run p x) (run q x).
Proof.
elim/last_ind: p q => [[]//|p f IH q]; case: (lastP q) => [|{}q g].
  by rewrite size_rcons.
rewrite !size_rcons => -[eq_size] same; rewrite !run_rcons.
have [_ off] : agree (run p x) (run q x).
  apply: (IH _ eq_size) => i h' lt_i ag e ieJ; have := same i h' (ltnW lt_i).
  by rewrite !nth_rcons eq_size lt_i take_rcons ?(ltnW lt_i) //; apply.
have ag : agree (run p x) (run q x) by split; rewrite ?size_run.
split=> [|[i e] ieJ]; first by rewrite !size_rcons !size_run eq_size.
rewrite /at_unit /= !nth_rcons !size_run eq_size.
have [lt_i|gt_i|i_p] := ltngtP i (size p) => //; first exact: off ieJ.
have := same (size p) (run q x) (ltnSn _).
rewrite !nth_rcons eq_size ltnn eqxx take_rcons // take_size => /(_ ag e).
by apply; rewrite -i_p.
Qed.

End Circuit.

(* That an entry is read by no other than those of the circuit can be read    *)
(* off the units that the node lists.                                         *)

Lemma eq_pre J h h' r : agree J h h' ->
  all (fun t => (t.1 \notin J) || (t.2 == 0)) r.1 -> pre h' r = pre h r.
Proof.
move=> [_ off] /allP free; congr (_ + _); apply: eq_big_seq => t /free.
by case/orP=> [/off-> //|/eqP->]; rewrite !mul0r.
Qed.

Lemma unread_affine J i rows :
  (forall e, (e < size rows)%N -> (i, e) \notin J ->
     all (fun t => (t.1 \notin J) || (t.2 == 0)) (nth ([::], 0) rows e).1) ->
  unread J i (affine rows).
Proof.
move=> free x h h' ag e ieJ; have [lt_e|ge_e] := ltnP e (size rows).
  by rewrite !(nth_map ([::], 0)) // (eq_pre ag) // free.
by rewrite !nth_default ?size_map.
Qed.

Lemma unread_pointwise J i s us :
  (forall e, (e < size us)%N -> (i, e) \notin J -> nth (0, 0)%N us e \notin J) ->
  unread J i (pointwise s us).
Proof.
move=> free x h h' [_ off] e ieJ; have [lt_e|ge_e] := ltnP e (size us).
  by rewrite !(nth_map (0, 0)%N) // off // free.
by rewrite !nth_default ?size_map.
Qed.

Lemma unread_maxpool J i ws :
  (forall e, (e < size ws)%N -> (i, e) \notin J ->
     all (fun u => u \notin J) (let w := nth ((0, 0), [::])%N ws e in w.1 :: w.2)) ->
  unread J i (maxpool ws).
Proof.
move=> free x h h' [_ off] e ieJ; have [lt_e|ge_e] := ltnP e (size ws).
  rewrite !(nth_map ((0, 0), [::])%N) //; have /= /andP[w1 /allP w2] := free e lt_e ieJ.
  by rewrite off //; congr (greatest _ _); apply/eq_in_map => u /w2/off.
by rewrite !nth_default ?size_map.
Qed.

End Graph.
