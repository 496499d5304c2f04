(******************************************************************************)
(* What follows of units and circuits from checks of rows: which are idle,    *)
(* which are not, and where a circuit fires.                                  *)
(*                                                                            *)
(*    still cs == the units that claims of one layer say to have one value    *)
(*  within J K == the units of J are some of K                                *)
(*     unit_at j == the unit number j alone                                   *)
(* check_unread l J == the layer l reads none of the units of J               *)
(* values d s A ps k x == the values of hidden layer k at the row x             *)
(* check_varies v w j == unit j has other values in v than in w               *)
(* check_reads l j == some unit of the layer l reads it                       *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_deep c2_deep check_chains check_integers
  check_audits check_products.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Local Notation llayer := check_deep.layer.

Fixpoint either (J K : seq bool) : seq bool :=
  match J, K with
  | a :: J', b :: K' => (a || b) :: either J' K'
  | [::], _ => K
  | _, [::] => J
  end.

Fixpoint within (J K : seq bool) : bool :=
  if J is a :: J' then (if a then head false K else true) && within J' (behead K) else true.

Definition still_units (c : claim) : seq bool :=
  match c with Dead J => J | Steady J _ => J | Sends _ _ _ => [::] end.

Definition still (cs : seq claim) := foldr (fun c => either (still_units c)) [::] cs.

Definition check_unread (l : llayer Z) (J : seq bool) :=
  all (fun wb => all (Z.eqb Z0) (mask J wb.1)) l.

(* The values of hidden layer k at a row, for layers ps that are packed for   *)
(* inputs within A.                                                           *)
Definition values (d : nat) (s : scale) (A : Z) (ps : seq wide) (k : nat) (x : seq number) :=
  if overs s x is Some x' then
    (if (size x' == d) && within_size A x' then Some (wforward (take k.+1 ps) x') else None)
  else None.

Definition check_varies (v w : seq Z) (j : nat) := ~~ Z.eqb (nth Z0 v j) (nth Z0 w j).

Definition check_reads (l : llayer Z) (j : nat) :=
  has (fun wb => ~~ Z.eqb Z0 (nth Z0 wb.1 j)) l.

Definition unit_at (j : nat) : seq bool := nseq j false ++ [:: true].

Lemma nth_either J K j : nth false (either J K) j = nth false J j || nth false K j.
Proof. by elim: J K j => [|a J IH] [|b K] [|j] //=; rewrite ?nth_nil ?orbF. Qed.

Lemma withinP J K j : within J K -> nth false J j -> nth false K j.
Proof.
elim: J K j => [|a J IH] K j /=; first by rewrite nth_nil.
case/andP=> now /IH rest; case: j => [|j] /=; first by move=> a1; rewrite a1 in now; case: K now {rest}.
by move/rest; rewrite nth_behead.
Qed.

Lemma mask_unit j s :
  mask (unit_at j) s = if (j < size s)%N then [:: nth Z0 s j] else [::].
Proof.
elim: j s => [|j IH] [|a s] /=; [by []|by congr cons; case: s|by []|exact: IH].
Qed.

Lemma zdot_unit j w x :
  zdot Z0 (mask (unit_at j) w) (mask (unit_at j) x) = Z.mul (nth Z0 w j) (nth Z0 x j).
Proof.
rewrite !mask_unit; have [lt|ge] := ltnP j (size w); last by rewrite (nth_default _ ge).
have [lt'|ge'] := ltnP j (size x); last by rewrite (nth_default _ ge') Z.mul_0_r.
by rewrite zdot_cons.
Qed.

Local Open Scope ring_scope.

Section Correct.

Variable R : realFieldType.
Local Notation value := (value R).
Local Notation vlayer := (value_layer R).
Local Notation Rops := (Rops R).

Variables (d m : nat) (ls : seq (llayer number)) (out : llayer number).
Let p := chain m d (map vlayer ls) (vlayer out).
Let ws := map size (map vlayer ls).
Variables (N : nat) (get : Z -> seq number).
Let z (i : 'I_N) : 'rV[R]_d := zrow R d get (Z.of_nat i).

Theorem C2_check_sends k J v f :
  holds R d m ls out N get k (Sends J v f) -> (forall i : 'I_N, f (Z.of_nat i)) ->
  idle_deep set0 p (circuits ws (only k J)) (receives m ws (into k (map value v))) z.
Proof. by move=> sends all_f; apply: idle_each => e; apply/sends/all_f. Qed.

Lemma stillP k cs : (forall c, List.In c cs -> holds R d m ls out N get k c) ->
  forall i i' j, nth false (still cs) j -> nth 0 (hidden p k (z i)) j = nth 0 (hidden p k (z i')) j.
Proof.
move=> all_c i i' j; elim: cs all_c => [|c cs IH] all_c /=; first by rewrite nth_nil.
rewrite nth_either => /orP[j_c|]; last by apply: IH => c' c'_in; apply: all_c; right.
have := all_c c (or_introl erefl); case: c j_c {all_c} => [J|J cz|J v f] /=.
- by move=> jJ dead; rewrite !dead.
- by move=> jJ steady; have [] := steady i i' j jJ.
- by rewrite nth_nil.
Qed.

Section Fits.

Hypotheses (fit : linked d ls out) (out_m : size out = m).
Hypothesis get_d : forall i : 'I_N, size (get (Z.of_nat i)) = d.
Variables (k : nat) (k_ls : (k < size ls)%N).

Let fit' : linked d (map vlayer ls) (vlayer out). Proof. by rewrite linked_value. Qed.
Let out_m' : size (vlayer out) = m. Proof. by rewrite size_map. Qed.
Let k_ls' : (k < size (map vlayer ls))%N. Proof. by rewrite size_map. Qed.
Let zl i := map value (get (Z.of_nat i)).
Let zl_d (i : 'I_N) : size (zl i) = d. Proof. by rewrite /zl size_map; apply: get_d. Qed.
Let above := reader (map vlayer ls) (vlayer out) k.

Let hidE (i : 'I_N) : hidden p k (z i) = lforward Rops (take k.+1 (map vlayer ls)) (zl i).
Proof. exact: (hidden_chain m fit' (zl_d i) k_ls'). Qed.

Lemma same_mask (J : seq bool) (u v : seq R) : size u = size v ->
  (forall j, nth false J j -> nth 0 u j = nth 0 v j) -> mask J u = mask J v.
Proof.
elim: u v J => [|a u IH] [|b v] [|c J] //= [u_v] same.
have -> : mask J u = mask J v by apply: IH => // j; apply: (same j.+1).
by case: c same => // same; congr cons; apply: (same 0%N).
Qed.

(* Units of one value send what they send at any one row.                     *)
Theorem C2_check_first cs J v i0 : (forall c, List.In c cs -> holds R d m ls out N get k c) ->
  within J (still cs) -> size v = size above ->
  idle_deep set0 p (circuits ws (only k J)) (receives m ws (into k v)) (fun _ : 'I_1 => z i0) ->
  idle_deep set0 p (circuits ws (only k J)) (receives m ws (into k v)) z.
Proof.
move=> all_c J_still v_n.
move/(idle_only out_m' J fit' k_ls' (fun=> zl_d i0) (fun=> erefl _) v_n)/(_ ord0) => first.
apply/(idle_only out_m' J fit' k_ls' zl_d (fun=> erefl _) v_n) => i; rewrite -[RHS]first.
have same : mask J (lforward Rops (take k.+1 (map vlayer ls)) (zl i))
    = mask J (lforward Rops (take k.+1 (map vlayer ls)) (zl i0)).
  apply: same_mask => [|j jJ]; last by rewrite -!hidE; apply: (stillP all_c); apply: withinP jJ.
  by rewrite (take_nth [::]) // /lforward !foldl_rcons !size_map.
by apply: eq_map => wb; rewrite same.
Qed.

Theorem C2_check_still cs J : (forall c, List.In c cs -> holds R d m ls out N get k c) ->
  within J (still cs) -> exists v, idle_deep set0 p (circuits ws (only k J)) v z.
Proof.
move=> all_c J_still; have [i0 _|none] := pickP (fun i : 'I_N => true); last first.
  by exists (no_value R m ws); apply: idle_each => e; have := none e.
exists (receives m ws (into k (lsent Rops J above (lforward Rops (take k.+1 (map vlayer ls)) (zl i0))))).
apply: (C2_check_first (i0 := i0) all_c J_still); rewrite ?size_map //.
by apply/(idle_only out_m' J fit' k_ls' (fun=> zl_d i0) (fun=> erefl _)); rewrite ?size_map.
Qed.

Lemma dot_zeros (w x : seq R) : all (fun a => a == 0) w -> ldot Rops w x = 0.
Proof.
elim: w x => [|a w IH] [|b x] //= /andP[/eqP-> /IH w0].
by rewrite /ldot /= mul0r add0r; apply: w0.
Qed.

Section Varies.

Variables (s : scale) (es : seq scale) (zs : seq (llayer Z)).
Hypotheses (s_gt0 : proper s) (zsE : over_layers s es (rcons ls out) = Some zs).
Variables (parts : grouping) (A : Z) (ps : seq wide).
Hypotheses (A0 : Z.le Z0 A) (psE : widen parts A d zs = Some ps).

Let t := scale_at s (take k.+1 es).

Lemma valuesP (i : 'I_N) u : values d s A ps k (get (Z.of_nat i)) = Some u ->
  hidden p k (z i) = multiple R t u.
Proof.
rewrite /values; case xE: overs => [x|//]; case: ifP => // /andP[/eqP x_d xA] [<-].
rewrite (wforwardE (widen_take k.+1 psE) A0 x_d xA) /z /zrow (oversP R s_gt0 xE) (hiddenE R m s_gt0 fit zsE) //.
Qed.

Lemma nth_multiple r u j : nth 0 (multiple R r u) j = size_of R r * zr R (nth Z0 u j).
Proof.
have [lt|ge] := ltnP j (size u); first by rewrite (nth_map Z0).
by rewrite !nth_default ?size_map // zr0 mulr0.
Qed.

Let sent_row J (x : seq Z) : lsent Rops J above (lforward Rops (take k.+1 (map vlayer ls)) (multiple R s x))
  = multiple R (times (nth noscale es k.+1) t) (sent_at zs J k x).
Proof. by have [-> _] := sentE R s_gt0 zsE J x k_ls. Qed.

Theorem C2_check_varies (i i' : 'I_N) u u' j :
  values d s A ps k (get (Z.of_nat i)) = Some u -> values d s A ps k (get (Z.of_nat i')) = Some u' ->
  check_varies u u' j -> nth 0 (hidden p k (z i)) j != nth 0 (hidden p k (z i')) j.
Proof.
move=> uE u'E /negP differ; rewrite (valuesP uE) (valuesP u'E) !nth_multiple.
apply/negP=> /eqP/mulfI H; apply: differ; apply/Z.eqb_eq/(@zr_inj R)/H.
by rewrite gt_eqF // size_gt0 // (proper_at R s_gt0 zsE).
Qed.

Theorem C2_check_reads (i i' : 'I_N) u u' j :
  values d s A ps k (get (Z.of_nat i)) = Some u -> values d s A ps k (get (Z.of_nat i')) = Some u' ->
  check_varies u u' j -> check_reads (nth [::] zs k.+1) j ->
  ~ exists v, idle_deep set0 p (circuits ws (only k (unit_at j))) v z.
Proof.
rewrite /values; case xE: overs => [x|//]; case: ifP => // /andP[/eqP x_d xA] [<-].
case yE: overs => [y|//]; case: ifP => // /andP[/eqP y_d yA] [<-].
rewrite !(wforwardE (widen_take k.+1 psE) A0) // => /negP differ /hasP[wb wb_l reads] [v idle].
have := idle_same out_m' fit' k_ls' zl_d (fun=> erefl _) idle i i'.
rewrite /zl (oversP R s_gt0 xE) (oversP R s_gt0 yE) -/above !sent_row.
have [_ sc_gt0] := sentE R s_gt0 zsE [::] [::] k_ls.
move/(multiple_inj (R := R) sc_gt0)/eq_in_map/(_ wb wb_l) => /=; rewrite !zdot_unit => same.
apply: differ; apply/Z.eqb_eq; apply: (proj1 (Z.mul_cancel_l _ _ _ _)) same.
by move=> w0; rewrite w0 in reads.
Qed.

Theorem C2_check_unread J : check_unread (nth [::] zs k.+1) J ->
  exists v, idle_deep set0 p (circuits ws (only k J)) v z.
Proof.
move=> unread; exists (receives m ws (into k (nseq (size above) 0))).
apply/(idle_only out_m' J fit' k_ls' zl_d (fun=> erefl _)); rewrite ?size_nseq // => i.
rewrite /above reader_value //.
have [|_ _ ->] := scaled_nth R s_gt0 zsE (_ : k.+1 < _)%N; first by rewrite size_rcons.
rewrite size_map; elim: (nth [::] zs k.+1) unread => [//|wb l IH] /= /andP[w0 /IH ->]; congr cons.
apply: dot_zeros; rewrite -map_mask all_map; apply: sub_all w0 => a /Z.eqb_eq <- /=.
by rewrite zr0 mulr0.
Qed.

End Varies.
End Fits.
End Correct.
