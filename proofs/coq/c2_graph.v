(******************************************************************************)
(* C2 and C3 for graphs of layers (graph.v), by induction on the nodes: a     *)
(* circuit J is a list of units of any nodes.                                 *)
(*                                                                            *)
(*     hold J v p == the graph p with the constants v in place of the units J *)
(*    fires J v h == some unit of J has another value than v among h          *)
(*      C2_graph == where no unit of J fires, no node has another value       *)
(*                  without J; any function of the nodes, attention included  *)
(* C2_graph_fires == so where a node has one, some unit of J fires            *)
(* C2_graph_loss == on training inputs where none does, no loss changes       *)
(*    sent J h r == what the entry r of an affine node receives from J        *)
(* idle_graph J s ks x == each such entry outside J receives s from J at x    *)
(*    cut J s ks == the weights of units of J are 0 in these entries, and s   *)
(*                  is added to their biases                                  *)
(* C2_graph_cut == then no node has another value                             *)
(* C2_graph_zero == for units that are 0 no bias changes                      *)
(* C2_graph_folded == for units that are v, s is what their weights make of v *)
(* C2_graph_cut_fires == where the cut graph has another value, some entry    *)
(*                  receives another one from J                               *)
(*      C3_graph == if no entry outside J reads J, no function of its units   *)
(*                  changes a value outside J                                 *)
(*  C3_graph_cut == so it is for a cut graph, where other nodes do not read J *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c2_irrelevance graph.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Graph.

Variables (R : realFieldType) (X : Type) (J : seq (nat * nat)).
Notation state := (seq (seq R)).
Notation node := (X -> state -> seq R).
Implicit Types (p q : seq node) (f : node) (x : X) (h : state) (u : nat * nat).
Implicit Types (v s : nat * nat -> R) (r : row R) (rows : seq (row R)).
Implicit Types (ks : seq (kind R X)).

(* Constants in place of units                                                *)

Definition hold_node v i f : node := fun x h =>
  mkseq (fun e => if (i, e) \in J then v (i, e) else nth 0 (f x h) e) (size (f x h)).

Definition hold v p : seq node :=
  mkseq (fun i => hold_node v i (nth (@no_node R X) p i)) (size p).

Definition fires v h := has (fun u => is_unit h u && (at_unit h u != v u)) J.

Theorem C2_graph v p x :
  ~~ fires v (run p x) -> run (hold v p) x = run p x.
Proof.
move=> /hasPn idle; apply: same_run; first by rewrite size_mkseq.
move=> i lt_i; rewrite nth_mkseq // /hold_node -nth_run //.
apply: (@eq_from_nth _ 0) => [|e]; rewrite size_mkseq // => lt_e.
rewrite nth_mkseq //; case: ifP => // /idle /=.
by rewrite /is_unit /= size_run lt_i lt_e /= negbK => /eqP.
Qed.

Theorem C2_graph_fires v p x :
  run (hold v p) x <> run p x -> fires v (run p x).
Proof. by move=> other; apply/negPn/negP => /C2_graph. Qed.

Theorem C2_graph_loss N (z : 'I_N -> X) v p (T : Type)
    (ell : {ffun 'I_N -> state} -> T) :
  (forall i, ~~ fires v (run p (z i))) ->
  ell [ffun i => run (hold v p) (z i)] = ell [ffun i => run p (z i)].
Proof. by move=> idle; congr ell; apply/ffunP => i; rewrite !ffunE C2_graph. Qed.

(* Constants folded into the biases of affine nodes                           *)

Definition sent h r := \sum_(t <- r.1 | t.1 \in J) t.2 * at_unit h t.1.

Definition cut_row (c : R) r : row R :=
  ([seq (t.1, if t.1 \in J then 0 else t.2) | t <- r.1], r.2 + c).

Lemma pre_cut h c r : pre h (cut_row c r) = pre h r - sent h r + c.
Proof.
rewrite /pre /= big_map [X in _ = X + _ - _ + _](bigID (fun t => t.1 \in J)) /=.
rewrite -/(sent h r) -[sent h r + _ + _]addrA [sent h r + _]addrC addrK -addrA.
congr (_ + _).
rewrite [RHS]big_mkcond; apply: eq_bigr => t _.
by case: (t.1 \in J); rewrite ?mul0r.
Qed.

Definition row0 : row R := ([::], 0).

Definition cut_kind s i (k : kind R X) := if k is Affine rows then
  Affine X (mkseq (fun e => let r := nth row0 rows e in
    if (i, e) \in J then r else cut_row (s (i, e)) r) (size rows)) else k.

Definition kind0 : kind R X := Affine X [::].

Definition cut s ks := mkseq (fun i => cut_kind s i (nth kind0 ks i)) (size ks).

Definition idle_graph s ks x := forall i rows e,
  (i < size ks)%N -> nth kind0 ks i = Affine X rows -> (e < size rows)%N ->
  (i, e) \notin J -> sent (run (graph (take i ks)) x) (nth row0 rows e) = s (i, e).

Theorem C2_graph_cut s ks x :
  idle_graph s ks x -> run (graph (cut s ks)) x = run (graph ks) x.
Proof.
move=> idle; apply: same_run => [|i]; rewrite !size_map ?size_mkseq ?size_iota //.
move=> lt_i; rewrite /graph !(nth_map kind0) ?size_mkseq // nth_mkseq // -map_take.
case ki: (nth kind0 ks i) => [rows|//] /=; rewrite /affine.
apply: (@eq_from_nth _ 0) => [|e]; rewrite !size_map ?size_mkseq size_iota // => lt_e.
rewrite !(nth_map row0) ?size_mkseq // nth_mkseq //=; case: ifPn => // ieJ.
by rewrite pre_cut (idle _ _ _ lt_i ki lt_e ieJ) subrK.
Qed.

Theorem C2_graph_cut_fires s ks x :
  run (graph (cut s ks)) x <> run (graph ks) x -> ~ idle_graph s ks x.
Proof. by move=> other /C2_graph_cut. Qed.

Lemma at_take p x i u : (u.1 < i)%N ->
  at_unit (run (take i p) x) u = at_unit (run p x) u.
Proof.
move=> lt_i; have -> : run p x = values (drop i p) x (run (take i p) x).
  by rewrite -[in LHS](cat_take_drop i p) /run values_cat.
rewrite /at_unit; have [lt_u|] := ltnP u.1 (size (run (take i p) x)).
  by rewrite values_known.
rewrite size_run size_take; case: ifP => [_|i_p _]; first by rewrite leqNgt lt_i.
by rewrite drop_oversize // leqNgt i_p.
Qed.

(* What an entry reads comes before it.                                       *)
Definition ordered ks := forall i rows, nth kind0 ks i = Affine X rows ->
  forall r, r \in rows -> all (fun t => t.1.1 < i)%N r.1.

Definition weighed v ks u := if nth kind0 ks u.1 is Affine rows then
  \sum_(t <- (nth row0 rows u.2).1 | t.1 \in J) t.2 * v t.1 else 0.

Lemma idle_values v ks x : ordered ks ->
  (forall u, u \in J -> at_unit (run (graph ks) x) u = v u) ->
  idle_graph (weighed v ks) ks x.
Proof.
move=> ord idle i rows e lt_i ki lt_e _; rewrite /weighed /= ki /sent.
have /allP before := ord _ _ ki _ (mem_nth row0 lt_e).
rewrite [LHS]big_seq_cond [RHS]big_seq_cond; apply: eq_bigr => t /andP[/before lt_t tJ].
by rewrite /graph map_take at_take // idle.
Qed.

Theorem C2_graph_folded v ks x : ordered ks ->
  (forall u, u \in J -> at_unit (run (graph ks) x) u = v u) ->
  run (graph (cut (weighed v ks) ks)) x = run (graph ks) x.
Proof. by move=> ord idle; apply/C2_graph_cut/idle_values. Qed.

Theorem C2_graph_zero ks x : ordered ks ->
  (forall u, u \in J -> at_unit (run (graph ks) x) u = 0) ->
  run (graph (cut (fun=> 0) ks)) x = run (graph ks) x.
Proof.
move=> ord /(idle_values ord) idle; apply: C2_graph_cut => i rows e lt_i ki lt_e ieJ.
rewrite (idle _ _ _ lt_i ki lt_e ieJ) /weighed /= ki; apply: big1 => t _.
exact: mulr0.
Qed.

(* C3: what the circuit does, once nothing outside reads it                   *)

Theorem C3_graph p q x : unread_in J p -> alike J p q -> agree J (run p x) (run q x).
Proof.
move=> unr [eq_size same]; apply: agree_run eq_size _ => i h' _ ag e ieJ.
by rewrite same // (unr i x _ h' ag).
Qed.

Theorem C3_graph_cut s ks q x :
  (forall i f, nth kind0 ks i = Other f -> unread J i f) ->
  alike J (graph (cut s ks)) q ->
  agree J (run (graph (cut s ks)) x) (run q x).
Proof.
move=> others; apply: C3_graph => i; have [lt_i|ge_i] := ltnP i (size ks); last first.
  by move=> ? ? ? _ e _; rewrite (@nth_default _ (@no_node R X)) // size_map size_mkseq.
rewrite (nth_map kind0) ?size_mkseq // nth_mkseq //.
case ki: (nth kind0 ks i) => [rows|f] /=; last exact: others ki.
apply: unread_affine => e; rewrite size_mkseq => lt_e ieJ.
rewrite nth_mkseq //= (negbTE ieJ); apply/allP => _ /mapP[t _ ->] /=.
by case: (t.1 \in J); rewrite ?eqxx ?orbT.
Qed.

End Graph.
