(******************************************************************************)
(* Nets of any depth as lists of layers, in the words of c2_deep.v: what is   *)
(* computed on lists is what its nets compute, and what its circuits send.    *)
(*                                                                            *)
(*       rvec k s == the row vector of length k with the entries of s         *)
(* chain m k ls o == the net of c2_deep.v with the layers ls, each followed   *)
(*                   by relu, from k inputs to the m outputs of the layer o   *)
(* lchain k ls o x == its output at x, as a list                              *)
(* linked k ls o == the layers fit on one another                             *)
(*   hidden p k h == the values of its hidden layer number k (0 is the first) *)
(* circuits ws Js == the circuit that lists of booleans select, layer by      *)
(*                   layer; receives m ws vs == what it sends, likewise       *)
(*      only k J == the lists of a circuit that lies in hidden layer k        *)
(*      into k v == and of what each unit above receives from it              *)
(* lsent J l h == the list of what the units of the layer l receive from J    *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_deep c2_deep.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Local Notation llayer := check_deep.layer.

Section Lists.

Variable T : Type.

Definition fan_in (k : nat) (l : llayer T) := all (fun wb => size wb.1 == k) l.

Fixpoint linked (k : nat) (ls : seq (llayer T)) (o : llayer T) : bool :=
  if ls is l :: ls' then fan_in k l && linked (size l) ls' o else fan_in k o.

Definition only (k : nat) (J : seq bool) : seq (seq bool) := nseq k [::] ++ [:: J].

Definition into (k : nat) (v : seq T) : seq (seq T) := nseq k.+1 [::] ++ [:: v].

(* The layer that reads hidden layer k.                                       *)
Definition reader (ls : seq (llayer T)) (o : llayer T) (k : nat) := nth o ls k.+1.

Variable o : ops T.

Definition lsent (J : seq bool) (l : llayer T) (h : seq T) : seq T :=
  [seq ldot o (mask J wb.1) (mask J h) | wb <- l].

Definition lchain ls (out : llayer T) x := laffine o out (lforward o ls x).

End Lists.

Local Open Scope ring_scope.

Section Chains.

Variable R : realFieldType.
Local Notation Rops := (Rops R).

Definition runit0 : seq R * R := ([::], 0).

Definition rvec k (s : seq R) : 'rV[R]_k := \row_i nth 0 s i.

Definition wmx k l (ly : llayer R) : 'M[R]_(k, l) :=
  \matrix_(r, i) nth 0 (nth runit0 ly i).1 r.

Definition bmx l (ly : llayer R) : 'rV[R]_l := \row_i (nth runit0 ly i).2.

Fixpoint chain m k (ls : seq (llayer R)) (out : llayer R) : params R m k (map size ls) :=
  match ls return params R m k (map size ls) with
  | [::] => (wmx k m out, bmx m out)
  | l :: ls' => (wmx k (size l) l, bmx (size l) l, chain m (size l) ls' out)
  end.

Fixpoint circuits ws (Js : seq (seq bool)) : circ ws :=
  match ws return circ ws with
  | [::] => tt
  | l :: ws' => (members l (head [::] Js), circuits ws' (behead Js))
  end.

Fixpoint receives m ws (vs : seq (seq R)) : received R m ws :=
  match ws return received R m ws with
  | [::] => rvec m (head [::] vs)
  | l :: ws' => (rvec l (head [::] vs), receives m ws' (behead vs))
  end.

Fixpoint hidden m k ws (p : params R m k ws) (at_ : nat) (h : 'rV[R]_k) : seq R :=
  match ws return params R m k ws -> seq R with
  | [::] => fun _ => [::]
  | l :: ws' => fun p =>
      let above := c2_deep.layer p.1.1 p.1.2 h in
      if at_ is j.+1 then hidden p.2 j above else row above
  end p.

Lemma row_rvec k s : size s = k -> row (rvec k s) = s.
Proof.
move=> s_k; rewrite /row -[RHS](nth_enum 0 s_k).
by apply: eq_map => i; rewrite mxE.
Qed.

Lemma rvec_nil k : rvec k [::] = 0.
Proof. by apply/rowP=> i; rewrite !mxE nth_nil. Qed.

Lemma members_nil n : members n [::] = set0.
Proof. by apply/setP=> i; rewrite !inE nth_nil. Qed.

Lemma dot_rvec k w x : size w = k -> size x = k ->
  dot (rvec k w) (rvec k x) = ldot Rops w x.
Proof. by move=> w_k x_k; rewrite -ldot_row !row_rvec. Qed.

Lemma mul_rvec k l ly x i : fan_in k ly -> size x = k -> (i < size ly)%N -> forall j : 'I_l,
  val j = i -> (rvec k x *m wmx k l ly) 0 j = ldot Rops (nth runit0 ly i).1 x.
Proof.
move=> /all_nthP ly_k x_k i_l j ji; have /eqP w_k := ly_k runit0 i i_l.
rewrite -(dot_rvec w_k x_k) mxE; apply: eq_bigr => r _.
by rewrite !mxE ji mulrC.
Qed.

Lemma layer_rvec k ly x : fan_in k ly -> size x = k ->
  c2_deep.layer (wmx k (size ly) ly) (bmx (size ly) ly) (rvec k x)
  = rvec (size ly) (map (@relu R) (laffine Rops ly x)).
Proof.
move=> ly_k x_k; apply/rowP=> j; have j_l := ltn_ord j.
rewrite mxE [in LHS]mxE (mul_rvec ly_k x_k j_l) // !mxE.
by rewrite (nth_map 0) ?size_map // (nth_map runit0).
Qed.

Lemma out_chain m k ls out x : linked k ls out -> size out = m -> size x = k ->
  c2_deep.out (chain m k ls out) (rvec k x) = rvec m (lchain Rops ls out x).
Proof.
elim: ls k x => [|l ls IH] k x /=.
  move=> fit out_m x_k; apply/rowP=> j; have j_m := ltn_ord j.
  rewrite [LHS]mxE (mul_rvec (i := j) fit x_k) ?out_m // !mxE.
  by rewrite (nth_map runit0) ?out_m.
case/andP=> l_k ls_l out_m x_k; rewrite layer_rvec // IH ?size_map //.
Qed.

Lemma hidden_chain m k ls out j x : linked k ls out -> size x = k -> (j < size ls)%N ->
  hidden (chain m k ls out) j (rvec k x) = lforward Rops (take j.+1 ls) x.
Proof.
elim: ls k j x => [//|l ls IH] k [|j] x /= /andP[l_k ls_l] x_k j_ls.
  by rewrite take0 layer_rvec //= row_rvec ?size_map.
by rewrite layer_rvec // IH ?size_map.
Qed.

Lemma size_lforward k ls out x : linked k ls out -> size x = k ->
  forall j, (j <= size ls)%N ->
  size (lforward Rops (take j ls) x) = head k (rev (k :: map size (take j ls))).
Proof.
move=> _ x_k j _; elim/last_ind: (take j ls) => [|l a _] //=.
by rewrite /lforward foldl_rcons !size_map map_rcons -rcons_cons rev_rcons.
Qed.

(* What a circuit sends                                                       *)

Lemma mask_dot (J : seq bool) (w x : seq R) : size w = size x ->
  ldot Rops (mask J w) (mask J x)
  = \sum_(r < size x) (if nth false J r then nth 0 x r * nth 0 w r else 0).
Proof.
elim: x w J => [|a x IH] [|b w] J //=; first by rewrite !mask0 big_ord0.
move=> [w_x]; case: J => [|[] J] /=.
- by rewrite big1 // => r _; rewrite nth_nil.
- by rewrite big_ord_recl /ldot /= mulrC; congr (_ + _); apply: IH.
- by rewrite big_ord_recl /= add0r; apply: IH.
Qed.

Lemma sent_rvec k l ly J x (i : 'I_l) : fan_in k ly -> size ly = l -> size x = k ->
  sent (members k J) (wmx k l ly) (rvec k x) i = nth 0 (lsent Rops J ly x) i.
Proof.
move=> /all_nthP ly_k ly_l x_k; have i_l := ltn_ord i.
have i_ly : (i < size ly)%N by rewrite ly_l.
have /eqP w_k := ly_k runit0 i i_ly.
rewrite (nth_map runit0) // mask_dot ?w_k // x_k /sent big_mkcond /=.
by apply: eq_bigr => r _; rewrite inE !mxE.
Qed.

Lemma sent_none k l (W : 'M[R]_(k, l)) h i : sent set0 W h i = 0.
Proof. by rewrite /sent big_set0. Qed.

Lemma idle_none N m k ws (p : params R m k ws) (h : 'I_N -> 'rV[R]_k) :
  idle_deep set0 p (circuits ws [::]) (receives m ws [::]) h.
Proof.
elim: ws k p h => [|l ws IH] k p h /=.
  by move=> e i; rewrite sent_none rvec_nil mxE.
rewrite members_nil rvec_nil; split=> [e i _|]; last exact: IH.
by rewrite sent_none mxE.
Qed.

Variables (m N : nat) (out : llayer R).
Hypothesis out_m : size out = m.

(* A circuit of one layer is idle at v if each unit above receives v from it. *)
Lemma idle_only k ls j J v (z : 'I_N -> seq R) (h : 'I_N -> 'rV[R]_k) :
    linked k ls out -> (j < size ls)%N -> (forall e, size (z e) = k) ->
    (forall e, h e = rvec k (z e)) -> size v = size (reader ls out j) ->
  idle_deep set0 (chain m k ls out) (circuits (map size ls) (only j J))
    (receives m (map size ls) (into j v)) h
  <-> forall e, lsent Rops J (reader ls out j) (lforward Rops (take j.+1 ls) (z e)) = v.
Proof.
elim: ls k j z h => [//|l ls IH] k j z h /= /andP[l_k ls_l] j_ls z_k h_z v_n.
pose z' e := map (@relu R) (laffine Rops l (z e)).
have z'_l e : size (z' e) = size l by rewrite !size_map.
have above e : c2_deep.layer (wmx k (size l) l) (bmx (size l) l) (h e)
    = rvec (size l) (z' e) by rewrite h_z layer_rvec.
have nothing n (W : 'M[R]_(k, n)) e i : sent set0 W (h e) i = (rvec n [::]) 0 i.
  by rewrite sent_none rvec_nil mxE.
case: j j_ls v_n => [|j] j_ls v_n /=; last first.
  rewrite members_nil; split=> [[_ rest]|same].
    by apply/(IH _ _ z' _ ls_l j_ls z'_l above v_n).
  by split=> [e i _|]; [exact: nothing|apply/(IH _ _ z')].
rewrite take0 /=; case: ls ls_l v_n {IH j_ls} => [|l2 ls] /= fit v_n.
  have val e i : sent (members (size l) J) (wmx (size l) m out)
      (c2_deep.layer (wmx k (size l) l) (bmx (size l) l) (h e)) i
      = nth 0 (lsent Rops J out (z' e)) i by rewrite above sent_rvec.
  split=> [[_ idle] e|same].
    apply: (@eq_from_nth _ 0) => [|i]; rewrite size_map // => i_out.
    by have := idle e (cast_ord out_m (Ordinal i_out)); rewrite val mxE.
  split=> [e i _|e i]; first exact: nothing.
  by rewrite val mxE same.
have [l2_l ls_l2] := andP fit.
have val e i : sent (members (size l) J) (wmx (size l) (size l2) l2)
    (c2_deep.layer (wmx k (size l) l) (bmx (size l) l) (h e)) i
    = nth 0 (lsent Rops J l2 (z' e)) i by rewrite above sent_rvec.
rewrite members_nil; split=> [[_ [idle _]] e|same].
  apply: (@eq_from_nth _ 0) => [|i]; rewrite size_map // => i_l2.
  by have := idle e (Ordinal i_l2); rewrite val mxE inE; apply.
split=> [e i _|]; first exact: nothing.
split=> [e i _|]; last exact: idle_none.
by rewrite val mxE same.
Qed.

(* Idle at whatever values: they are those of any one example.                *)
Lemma idle_same k ls j J v (z : 'I_N -> seq R) (h : 'I_N -> 'rV[R]_k) :
    linked k ls out -> (j < size ls)%N -> (forall e, size (z e) = k) ->
    (forall e, h e = rvec k (z e)) ->
  idle_deep set0 (chain m k ls out) (circuits (map size ls) (only j J)) v h ->
  forall e e', lsent Rops J (reader ls out j) (lforward Rops (take j.+1 ls) (z e))
             = lsent Rops J (reader ls out j) (lforward Rops (take j.+1 ls) (z e')).
Proof.
elim: ls k j z h v => [//|l ls IH] k j z h v /= /andP[l_k ls_l] j_ls z_k h_z.
pose z' e := map (@relu R) (laffine Rops l (z e)).
have z'_l e : size (z' e) = size l by rewrite !size_map.
have above e : c2_deep.layer (wmx k (size l) l) (bmx (size l) l) (h e)
    = rvec (size l) (z' e) by rewrite h_z layer_rvec.
case: j j_ls => [|j] j_ls /=; last first.
  rewrite members_nil => -[_ rest].
  exact: (IH _ _ z' _ _ ls_l j_ls z'_l above rest).
rewrite take0 /=; case: ls ls_l v {IH j_ls} => [|l2 ls] /= fit v.
  move=> [_ idle] e e'; apply: (@eq_from_nth _ 0) => [|i]; rewrite !size_map // => i_out.
  have := idle e' (cast_ord out_m (Ordinal i_out)).
  have := idle e (cast_ord out_m (Ordinal i_out)).
  by rewrite !above !sent_rvec //= => -> ->.
have [l2_l ls_l2] := andP fit.
rewrite members_nil => -[_ [idle _]] e e'.
apply: (@eq_from_nth _ 0) => [|i]; rewrite !size_map // => i_l2.
have := idle e' (Ordinal i_l2); have := idle e (Ordinal i_l2).
by rewrite !above !sent_rvec //= inE => -> // ->.
Qed.

End Chains.

(* What is so at each example is so.                                          *)
Lemma idle_each (R : realFieldType) m N k ws K (p : params R m k ws) J v (h : 'I_N -> 'rV[R]_k) :
  (forall e, idle_deep K p J v (fun _ : 'I_1 => h e)) -> idle_deep K p J v h.
Proof.
elim: ws => [|l ws IH] /= in k K p J v h *; first by move=> idle e i; apply: (idle e ord0 i).
move=> idle; split=> [e i iJ|]; first by have [/(_ ord0 i iJ)] := idle e.
by apply: IH => e; have [] := idle e.
Qed.
