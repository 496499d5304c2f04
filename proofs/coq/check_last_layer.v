(******************************************************************************)
(* The deep nets of check_deep.v are those of c2_deep.v: with a net of S_n on *)
(* what enters the last hidden layer, they have the same outputs and hidden   *)
(* values, and the same circuits of the last hidden layer are idle. So what   *)
(* the checkers of check_nets.v accept of a deep net is so in the words of    *)
(* c2_deep.v.                                                                 *)
(*                                                                            *)
(*         qlayer R l == the layer l of rationals, over R                     *)
(*         lhidden us == the last hidden layer of a net with units us         *)
(*  lreadout o m us c == its output layer, of m outputs with shift c          *)
(* deep R d m ls us c == the net of c2_deep.v with the layers ls below these  *)
(*  fires_deep p J v h x == J is train-idle at v, and at x some unit outside  *)
(*                        J receives another value from it                    *)
(*      C2_last_layer == outputs, hidden values and idle circuits are those   *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_deep c2_deep check_chains.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Local Notation llayer := check_deep.layer.

Section Lists.

Variables (T : Type) (o : ops T).

Definition lhidden (us : seq (unit T)) : llayer T := [seq un.1 | un <- us].

Definition lreadout (m : nat) (us : seq (unit T)) (c : seq T) : llayer T :=
  mkseq (fun i => ([seq nth (oz o) un.2 i | un <- us], nth (oz o) c i)) m.

End Lists.

Local Open Scope ring_scope.

Section Deep.

Variable R : realFieldType.
Local Notation Rops := (Rops R).
Local Notation ratio := (ratio R).
Local Notation toR := (map_unit ratio).

Definition qlayer (l : llayer Q) : llayer R := [seq (map ratio wb.1, ratio wb.2) | wb <- l].

Definition deep d m ls us c :=
  chain m d (map qlayer (rcons ls (lhidden us))) (qlayer (lreadout Qops m us c)).

(* At x some unit outside the circuit receives another value.                 *)
Definition fires_deep N m k ws (p : params R m k ws) J v (h : 'I_N -> 'rV[R]_k) x :=
  idle_deep set0 p J v h /\ ~ idle_deep set0 p J v (fun _ : 'I_1 => x).

Lemma nth_ratio s i : nth 0 (map ratio s) i = ratio (nth Q0 s i).
Proof.
have [lt|ge] := ltnP i (size s); first by rewrite (nth_map Q0).
by rewrite !nth_default ?size_map // ratio0.
Qed.

Lemma vec_rvec k s : vec R k s = rvec k (map ratio s).
Proof. by apply/rowP=> i; rewrite !mxE nth_ratio. Qed.

Lemma rvec_row k (v : 'rV[R]_k) : rvec k (row v) = v.
Proof.
apply/rowP=> i; rewrite mxE (nth_map i) ?size_enum_ord ?ltn_ord //.
by rewrite nth_ord_enum.
Qed.

Lemma size_row k (v : 'rV[R]_k) : size (row v) = k.
Proof. by rewrite size_map size_enum_ord. Qed.

Lemma rvec_inj k s t : size s = k -> size t = k -> rvec k s = rvec k t -> s = t :> seq R.
Proof. by move=> s_k t_k st; rewrite -(row_rvec s_k) st row_rvec. Qed.

Lemma fan_in_q k l : fan_in k (qlayer l) = fan_in k l.
Proof. by rewrite /fan_in all_map; apply: eq_all => wb /=; rewrite size_map. Qed.

Lemma linked_q k ls out : linked k (map qlayer ls) (qlayer out) = linked k ls out.
Proof. by elim: ls k => [|l ls IH] k /=; rewrite fan_in_q // size_map IH. Qed.

Lemma laffine_q l x : laffine Rops (qlayer l) (map ratio x) = map ratio (laffine Qops l x).
Proof.
rewrite /laffine -!map_comp; apply: eq_map => wb /=.
by rewrite ldot_ratio ratioD.
Qed.

Lemma relu_q s : map (@relu R) (map ratio s) = map ratio (map (orelu Qops) s).
Proof. by rewrite -!map_comp; apply: eq_map => a /=; rewrite -ratio_relu. Qed.

Lemma lsent_q K l h : lsent Rops K (qlayer l) (map ratio h) = map ratio (lsent Qops K l h).
Proof.
rewrite /lsent -!map_comp; apply: eq_map => wb /=.
by rewrite -!map_mask ldot_ratio.
Qed.

Lemma qlayer_hidden us : qlayer (lhidden us) = lhidden (map toR us).
Proof. by rewrite /qlayer /lhidden -!map_comp. Qed.

Lemma qlayer_readout m us c :
  qlayer (lreadout Qops m us c) = lreadout Rops m (map toR us) (map ratio c).
Proof.
rewrite /qlayer /lreadout /mkseq -map_comp; apply: eq_map => i /=.
by rewrite nth_ratio -!map_comp; congr pair; apply: eq_map => un /=; rewrite nth_ratio.
Qed.

Lemma lforward_rcons ls l (x : seq R) :
  lforward Rops (rcons ls l) x = map (@relu R) (laffine Rops l (lforward Rops ls x)).
Proof. by rewrite /lforward foldl_rcons. Qed.

Lemma relu_layer_rvec d l x : fan_in d l -> size x = d ->
  relu_layer l (rvec d x) = rvec (size l) (map (@relu R) (laffine Rops (qlayer l) x)).
Proof.
move=> /all_nthP l_d x_d; apply/rowP=> j; rewrite !mxE.
have j_l := ltn_ord j; have /eqP w_d := l_d lrow0 j j_l.
rewrite (nth_map 0) ?size_map // /laffine -map_comp (nth_map lrow0) //=.
by rewrite vec_rvec dot_rvec ?size_map.
Qed.

Lemma features_rvec d ls x : lfits d ls -> size x = d ->
  size (lforward Rops (map qlayer ls) x) = lwidth d ls
  /\ features ls (rvec d x) = rvec (lwidth d ls) (lforward Rops (map qlayer ls) x).
Proof.
elim: ls d x => [//|l ls IH] d x /= /andP[l_d ls_d] x_d.
by rewrite relu_layer_rvec //; apply: IH; rewrite ?size_map.
Qed.

Lemma lfits_take d ls j : lfits d ls -> lfits d (take j ls).
Proof. by elim: ls d j => [|l ls IH] d [|j] //= /andP[-> /IH->]. Qed.

(* A net with units us, as two layers                                         *)

Lemma leval_layers (m : nat) (us : seq (unit R)) c x :
    all (fun un => size un.2 == m) us -> size c = m ->
  leval Rops us c x
  = laffine Rops (lreadout Rops m us c) (map (@relu R) (laffine Rops (lhidden us) x)).
Proof.
move=> us_m c_m; rewrite /laffine /lreadout /mkseq -map_comp /=.
elim: us us_m => [_|un us IH /andP[/eqP a_m us_m]] /=.
  apply: (@eq_from_nth _ 0) => [|i i_c]; first by rewrite size_map size_iota.
  rewrite c_m in i_c; rewrite (nth_map 0%N) ?size_iota // nth_iota //=.
  by rewrite /ldot /= !add0r.
rewrite IH // /lvadd /lterm /=; set t := relu _.
apply: (@eq_from_nth _ 0) => [|i].
  by rewrite size_map size_zip !size_map a_m size_iota minnn.
rewrite size_map size_zip !size_map a_m size_iota minnn => i_m.
rewrite (nth_map (0, 0)) ?size_zip ?size_map ?a_m ?size_iota ?minnn //.
rewrite nth_zip ?size_map ?a_m ?size_iota //= !(nth_map 0%N) ?size_iota //.
rewrite (nth_map 0) ?a_m // nth_iota // add0n -[RHS]addrA.
by rewrite [in RHS]/ldot /= -/t mulrC addrA.
Qed.

Lemma lcircuit_layers (m : nat) (us : seq (unit R)) c J x :
    all (fun un => size un.2 == m) us ->
  lcircuit Rops m us J x
  = lsent Rops J (lreadout Rops m us c) (map (@relu R) (laffine Rops (lhidden us) x)).
Proof.
move=> us_m; rewrite /lcircuit (@leval_layers m) ?size_nseq //; last first.
  by apply/allP=> un /mem_mask /(allP us_m).
rewrite /laffine /lsent /lreadout /mkseq -!map_comp; apply: eq_map => i /=.
by rewrite nth_nseq if_same addr0 /lhidden -!map_mask.
Qed.

Section LastLayer.

Variables (d m n : nat) (ls : seq (llayer Q)) (us : seq (unit Q)) (c : seq Q).
Hypotheses (ls_d : lfits d ls) (us_fit : fits (lwidth d ls) m n us c).
Let theta := qnet R (lwidth d ls) m n us c.
Let p := deep d m ls us c.
Let width := map size (map qlayer (rcons ls (lhidden us))).
Let out := qlayer (lreadout Qops m us c).

Let out_m : size out = m.
Proof. by rewrite size_map size_mkseq. Qed.

Let c_m : size c = m. Proof. by case/and3P: us_fit => /eqP. Qed.
Let us_n : size us = n. Proof. by case/and3P: us_fit => _ /eqP. Qed.

Let us_m : all (fun un => size un.2 == m) (map toR us).
Proof.
rewrite all_map; case/and3P: us_fit => _ _; apply: sub_all => un /andP[_] /=.
by rewrite size_map.
Qed.

Lemma linked_deep : linked d (map qlayer (rcons ls (lhidden us))) out.
Proof.
rewrite linked_q; move: us_fit ls_d; rewrite /fits; clear.
elim: ls d => [|l ls' IH] k /=; last by move=> fit /andP[l_k ?]; rewrite /fan_in l_k IH.
case/and3P=> _ _ us_k _; rewrite /fan_in !all_map; apply/andP; split.
  by apply: sub_all us_k => un /andP[].
by apply/allP=> i _ /=; rewrite !size_map.
Qed.

Let fit := linked_deep.

Lemma size_below (v : 'rV[R]_d) :
  size (lforward Rops (map qlayer ls) (row v)) = lwidth d ls.
Proof. by have [] := features_rvec ls_d (size_row v). Qed.

Lemma below (v : 'rV[R]_d) :
  row (features ls v) = lforward Rops (map qlayer ls) (row v).
Proof.
have [x_n xE] := features_rvec ls_d (size_row v).
by rewrite -[v in LHS]rvec_row xE row_rvec.
Qed.

Lemma out_last v : c2_deep.out p v = eval theta (features ls v).
Proof.
rewrite -[v in LHS]rvec_row /p /deep (out_chain fit out_m (size_row v)).
apply: (@row_inj R m); rewrite row_rvec; last by rewrite size_map out_m.
rewrite /lchain map_rcons lforward_rcons -below -leval_correct units_qnet //.
rewrite row_vec // /out qlayer_readout qlayer_hidden (leval_layers _ us_m) ?size_map //.
Qed.

Lemma hidden_last v :
  hidden p (size ls) v = [seq act theta j (features ls v) | j <- enum 'I_n].
Proof.
rewrite -[v in LHS]rvec_row /p /deep (hidden_chain m fit (size_row v)); last first.
  by rewrite size_map size_rcons.
rewrite take_oversize ?size_map ?size_rcons // map_rcons lforward_rcons -below.
rewrite qlayer_hidden -(units_qnet R us_fit) /laffine /lhidden -!map_comp.
by apply: eq_map => j /=; rewrite ldot_row.
Qed.

Lemma hidden_below j v : (j < size ls)%N ->
  hidden p j v = row (features (take j.+1 ls) v).
Proof.
move=> j_ls; have [x_n xE] := features_rvec (lfits_take j.+1 ls_d) (size_row v).
rewrite -[v in LHS]rvec_row -[v in RHS]rvec_row xE row_rvec // /p /deep.
rewrite (hidden_chain m fit (size_row v)) ?size_map ?size_rcons ?leqW //.
by rewrite map_rcons -cats1 takel_cat ?size_map // map_take.
Qed.

Lemma idle_last N (h : 'I_N -> 'rV[R]_d) J v : size J = n -> size v = m ->
  idle_deep set0 p (circuits width (only (size ls) J)) (receives m width (into (size ls) v)) h
  <-> idle_at (fun e => features ls (h e)) theta (members n J) (rvec m v).
Proof.
move=> J_n v_m; pose z e := row (h e).
have at_z e : h e = rvec d (z e) by rewrite rvec_row.
have last_ls : (size ls < size (map qlayer (rcons ls (lhidden us))))%N.
  by rewrite size_map size_rcons.
have readerE : reader (map qlayer (rcons ls (lhidden us))) out (size ls) = out.
  by rewrite /reader nth_default // size_map size_rcons.
have v_out : size v = size (reader (map qlayer (rcons ls (lhidden us))) out (size ls)).
  by rewrite readerE v_m out_m.
have := idle_only out_m J fit last_ls (fun e => size_row (h e)) at_z v_out.
rewrite readerE -/p -/width => iffE; apply: iff_trans iffE _.
have val e : lsent Rops J out (lforward Rops
    (take (size ls).+1 (map qlayer (rcons ls (lhidden us)))) (z e))
    = row (circuit_out theta (members n J) (features ls (h e))).
  rewrite take_oversize ?size_map ?size_rcons // map_rcons lforward_rcons -below.
  rewrite -lcircuit_correct units_qnet // members_mask //.
  by rewrite /out qlayer_readout qlayer_hidden (lcircuit_layers (map ratio c)).
split=> [same e|idle e]; last by rewrite val idle row_rvec.
by apply: (@row_inj R m); rewrite -val same row_rvec.
Qed.

(* What check_nets.v says of a deep net is so in the words of c2_deep.v.      *)
Theorem C2_last_layer :
  [/\ forall v, c2_deep.out p v = eval theta (features ls v),
      forall v, hidden p (size ls) v = [seq act theta j (features ls v) | j <- enum 'I_n],
      forall j v, (j < size ls)%N -> hidden p j v = row (features (take j.+1 ls) v)
    & forall N (h : 'I_N -> 'rV[R]_d) J v, size J = n -> size v = m ->
      idle_deep set0 p (circuits width (only (size ls) J)) (receives m width (into (size ls) v)) h
      <-> idle_at (fun e => features ls (h e)) theta (members n J) (rvec m v)].
Proof.
by split; [exact: out_last|exact: hidden_last|exact: hidden_below|exact: idle_last].
Qed.

End LastLayer.

(* The soundness theorems of check_nets.v, for a deep net.                    *)
Section Checked.

Variables (d m n N : nat) (ls : seq (llayer Q)) (us : seq (unit Q)) (c : seq Q) (zs : seq (seq Q)).
Hypothesis inputs : check_features d N ls zs.
Let p := deep d m ls us c.
Let ws := map size (map qlayer (rcons ls (lhidden us))).
Let z := points R d N zs.
Let entering := map (lforward Qops ls) zs.

Let ls_d : lfits d ls. Proof. by case/andP: inputs. Qed.

Lemma entering_last : points R (lwidth d ls) N entering =1 fun i => features ls (z i).
Proof. exact: C2_check_features inputs. Qed.

Theorem C2_deep_loss y : fits (lwidth d ls) m n us c ->
  mse z y (c2_deep.out p)
  = loss (points R (lwidth d ls) N entering) y (qnet R (lwidth d ls) m n us c).
Proof.
move=> us_fit; rewrite /loss /mse; congr (_ * _); apply: eq_bigr => i _.
by rewrite (out_last ls_d us_fit) entering_last.
Qed.

Theorem C2_deep_idle J v : check_idle (lwidth d ls) m n N us c entering J v ->
  idle_deep set0 p (circuits ws (only (size ls) J))
    (receives m ws (into (size ls) (map ratio v))) z.
Proof.
move=> ok; have /and3P[/and3P[us_fit _ /eqP J_n] /eqP v_m _] := ok.
apply/(idle_last ls_d us_fit _ J_n); first by rewrite size_map.
by move=> e; rewrite -entering_last (C2_check_idle R ok) vec_rvec.
Qed.

Theorem C2_deep_fires J v x : size x = d ->
    check_fires (lwidth d ls) m n N us c entering J v (lforward Qops ls x) ->
  fires_deep p (circuits ws (only (size ls) J))
    (receives m ws (into (size ls) (map ratio v))) z (vec R d x).
Proof.
move=> x_d /and3P[ok y_n off]; split; first exact: C2_deep_idle.
have /and3P[/and3P[us_fit _ /eqP J_n] /eqP v_m _] := ok.
move/(idle_last ls_d us_fit _ J_n); rewrite size_map => /(_ v_m) /(_ ord0) at_x.
have [_ xE] := features_vec R ls_d x_d; rewrite xE in at_x.
case/negP: off; rewrite (sendsP R v us_fit J_n (eqP y_n)) at_x row_rvec ?size_map //.
Qed.

End Checked.

Theorem C2_deep_same_outputs d m n n' N ls ls' us us' c c' zs :
    check_features d N ls zs -> check_features d N ls' zs ->
    check_same_outputs (lwidth d ls) (lwidth d ls') m n n' N us us' c c'
      (map (lforward Qops ls) zs) (map (lforward Qops ls') zs) ->
  forall i, c2_deep.out (deep d m ls us c) (points R d N zs i)
            = c2_deep.out (deep d m ls' us' c') (points R d N zs i).
Proof.
move=> ok ok' same i; have /and5P[us_fit us_fit' _ _ _] := same.
have [ls_d ls_d'] : lfits d ls /\ lfits d ls' by case/andP: ok; case/andP: ok'.
rewrite (out_last ls_d us_fit) (out_last ls_d' us_fit').
by rewrite -(entering_last ok) -(entering_last ok') (C2_check_same_outputs R same).
Qed.

End Deep.
