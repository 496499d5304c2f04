(******************************************************************************)
(* Checkers of what a circuit sends on a box of inputs. What is accepted      *)
(* holds at every real point of the box, in the words of c2_deep.v.           *)
(*                                                                            *)
(*    targets == what the units outside the circuit Js receive from it, with  *)
(*           the stated values vs                                             *)
(* check_region d m ls out box Js vs t == on all of the box Js sends vs       *)
(* check_acts d m ls out box Js vs z == z is in the box, and Js sends it      *)
(*           something else                                                   *)
(*     real_layer R l == the layer l over R                                   *)
(* in_region R box x == the point x is in the box                             *)
(* region_cut == a circuit that check_region accepts can be hardcoded: on the *)
(*           box the net computes the same                                    *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ ring.
From absence Require Import net compute check_nets check_deep c2_deep check_chains check_integers
  check_forms check_relaxed check_exact check_dense check_cases.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Local Notation llayer := check_deep.layer.

Fixpoint selected (J : seq bool) (w : seq Z) : seq Z :=
  if w is a :: w' then (if head false J then a else Z0) :: selected (behead J) w' else [::].

Fixpoint wants (k : nat) (D : positive) (J : seq bool) (rows : llayer Z) (J' : seq bool)
    (v : seq Q) : seq target :=
  if rows is wb :: rows' then
    let more := wants k D J rows' (behead J') (behead v) in
    if head false J' then more else (k, Form (selected J wb.1) D Q0, head Q0 v) :: more
  else [::].

Fixpoint targets (k : nat) (J : seq bool) (ls : seq zlayer) (out : zlayer)
    (Js : seq (seq bool)) (vs : seq (seq Q)) : seq target :=
  if ls is l :: ls' then
    wants k l.1 J l.2 (head [::] Js) (head [::] vs)
      ++ targets k.+1 (head [::] Js) ls' out (behead Js) (behead vs)
  else wants k out.1 J out.2 [::] (head [::] vs).

Definition trivial (t : target) := flat t.1.2 && Qeq_bool (rest t.1.2) t.2.

Definition shaped (d m : nat) (ls : seq zlayer) (out : zlayer) (box : seq range) :=
  [&& linked d (map snd ls) out.2, size out.2 == m & size box == d].

Definition asked (ls : seq zlayer) (out : zlayer) Js vs :=
  [seq t <- targets 0 [::] ls out Js vs | ~~ trivial t].

Definition check_region d m ls out box Js vs t :=
  [&& shaped d m ls out box, all (fun r : range => Qle_bool r.1 r.2) box
    & closed ls (asked ls out Js vs) box [::] t].

(* The values of layers at one input, over one denominator each.              *)
Definition zvector := (positive * seq Z)%type.

Definition zposts_of (l : zlayer) (h : zvector) : zvector :=
  (Pos.mul l.1 h.1, [seq Z.max Z0 (zdot (Z.mul wb.2 (Zpos h.1)) wb.1 h.2) | wb <- l.2]).

Fixpoint zposts (ls : seq zlayer) (k : nat) (z : zvector) : zvector :=
  if k is k'.+1 then zposts_of (nth zlayer0 ls k') (zposts ls k' z) else z.

Definition receives_other (ls : seq zlayer) (z : zvector) (t : target) :=
  let h := zposts ls t.1.1 z in
  let q := Qmake (zdot Z0 (coefs t.1.2) h.2) (Pos.mul (denom t.1.2) h.1) in
  ~~ Qeq_bool (qadd q (rest t.1.2)) t.2.

Definition check_acts d m ls out box Js vs (z : seq Q) :=
  let D := commons z in
  [&& shaped d m ls out box, size z == d,
      all (fun p : range * Q => Qle_bool p.1.1 p.2 && Qle_bool p.2 p.1.2) (zip box z)
    & has (receives_other ls (D, map (whole D) z)) (targets 0 [::] ls out Js vs)].

Local Open Scope ring_scope.

Section Correct.

Variable R : realFieldType.
Local Notation zr := (zr R).
Local Notation zp := (zp R).
Local Notation ratio := (ratio R).
Local Notation Rops := (Rops R).
Local Arguments int_of_Z : simpl never.
Local Arguments Z.mul : simpl never.
Local Arguments Z.eqb : simpl never.
Local Arguments Z.add : simpl never.

(* On lists, what circuits send is what the targets say                       *)

Definition layer_of (l : zlayer) : llayer R :=
  [seq ([seq zr a / zp l.1 | a <- wb.1], zr wb.2 / zp l.1) | wb <- l.2].

Lemma ldot_rdot D w (h : seq R) : ldot Rops [seq zr a / zp D | a <- w] h = rdot w h / zp D.
Proof.
rewrite /ldot; elim: w h => [|a w IH] [|t h] /=; rewrite ?mul0r //.
by rewrite IH mulrDl mulrAC.
Qed.

Lemma laffine_pres l (h : seq R) : laffine Rops (layer_of l) h = pres l h.
Proof.
rewrite /laffine /layer_of /pres -map_comp; apply: eq_map => wb /=.
by rewrite ldot_rdot /pre -mulrDl.
Qed.

Lemma ldot_selected D J w (h : seq R) :
  ldot Rops (mask J [seq zr a / zp D | a <- w]) (mask J h) = rdot (selected J w) h / zp D.
Proof.
have none w' h' : rdot (selected [::] w') h' = 0 :> R.
  by elim: w' h' => [|a w' IH] [|t h'] //=; rewrite zr0 mul0r add0r IH.
have empty u : ldot Rops u [::] = 0 by case: u.
have empty' u : ldot Rops [::] u = 0 by case: u.
elim: J w h => [|b J IH] w h; first by rewrite none mul0r.
case: w h => [|a w] [|t h] /=; rewrite ?mul0r ?empty ?empty' //.
case: b => /=; last by rewrite zr0 mul0r add0r IH.
have cons s u t' v : ldot Rops (s :: u) (t' :: v) = s * t' + ldot Rops u v by [].
by rewrite cons IH mulrDl mulrAC.
Qed.

Lemma wantsP net k D J rows J' v (x : seq R) :
  all (fun t : target => fvalue t.1.2 (posts net t.1.1 x) == ratio t.2) (wants k D J rows J' v)
  <-> forall i, (i < size rows)%N -> ~~ nth false J' i ->
      rdot (selected J (nth ([::], Z0) rows i).1) (posts net k x) / zp D = ratio (nth Q0 v i).
Proof.
elim: rows J' v => [|wb rows IH] J' v /=; first by split=> // _ [].
have tail : (forall i, (i < size rows)%N -> ~~ nth false (behead J') i ->
    rdot (selected J (nth ([::], Z0) rows i).1) (posts net k x) / zp D = ratio (nth Q0 (behead v) i))
  <-> forall i, (i.+1 < (size rows).+1)%N -> ~~ nth false J' i.+1 ->
    rdot (selected J (nth ([::], Z0) (wb :: rows) i.+1).1) (posts net k x) / zp D
    = ratio (nth Q0 v i.+1).
  by split=> H i; have := H i; rewrite !nth_behead.
have first_ : (fvalue (Form (selected J wb.1) D Q0) (posts net k x) == ratio (head Q0 v))
  = (rdot (selected J wb.1) (posts net k x) / zp D == ratio (nth Q0 v 0)).
  by rewrite /fvalue /= ratio0 addr0 nth0.
case E: (head false J'); rewrite -nth0 in E.
  rewrite IH tail; split=> [H [|i]|H i]; [by rewrite E|exact: H|exact: (H i.+1)].
rewrite /= first_; split=> [/andP[/eqP h0 /IH/tail h1] [|i] // lt|H].
  by move=> iJ; apply: (h1 i).
apply/andP; split; first by apply/eqP; apply: (H 0%N); rewrite ?E.
by apply/IH/tail => i; apply: (H i.+1).
Qed.

Lemma nth_ratio s i : nth 0 (map ratio s) i = ratio (nth Q0 s i).
Proof.
have [lt|ge] := ltnP i (size s); first by rewrite (nth_map Q0).
by rewrite !nth_default ?size_map ?ratio0.
Qed.

Lemma sent_value k n l J (h : seq R) (i : 'I_n) : fan_in k (layer_of l) -> size l.2 = n ->
    size h = k ->
  sent (members k J) (wmx k n (layer_of l)) (rvec k h) i
  = rdot (selected J (nth ([::], Z0) l.2 i).1) h / zp l.1.
Proof.
move=> l_k l_n h_k; have i_l : (i < size l.2)%N by rewrite l_n.
rewrite sent_rvec ?size_map // /lsent (nth_map (runit0 R)) ?size_map //.
by rewrite (nth_map ([::], Z0)) // ldot_selected.
Qed.

Lemma targetsP net k0 m k ls out J Js vs (x : seq R) :
    drop k0 net = ls -> linked k (map layer_of ls) (layer_of out) -> size out.2 = m ->
    size (posts net k0 x) = k ->
  all (fun t : target => fvalue t.1.2 (posts net t.1.1 x) == ratio t.2)
    (targets k0 J ls out Js vs)
  <-> idle_deep (members k J) (chain m k (map layer_of ls) (layer_of out))
        (circuits (map size (map layer_of ls)) Js)
        (receives m (map size (map layer_of ls)) (map (map ratio) vs))
        (fun _ : 'I_1 => rvec k (posts net k0 x)).
Proof.
have heads (v : seq (seq Q)) : head [::] (map (map ratio) v) = map ratio (head [::] v) by case: v.
have beheads (v : seq (seq Q)) : behead (map (map ratio) v) = map (map ratio) (behead v) by case: v.
elim: ls k0 k J Js vs => [|l ls IH] k0 k J Js vs net_k0 /= fit out_m h_k.
  rewrite heads wantsP; split=> [ok e i|ok i lt _].
    rewrite (sent_value _ _ fit out_m h_k) mxE nth_ratio; apply: ok; rewrite ?nth_nil //.
    by rewrite out_m.
  rewrite out_m in lt; have := ok ord0 (Ordinal lt).
  by rewrite (sent_value _ _ fit out_m h_k) mxE nth_ratio.
have [l_k fit'] := andP fit; rewrite all_cat heads beheads.
have net_l : nth zlayer0 net k0 = l by rewrite -[k0]addn0 -nth_drop net_k0.
have net_ls : drop k0.+1 net = ls by rewrite -add1n -drop_drop net_k0 /= drop0.
have h' : posts net k0.+1 x = map (@relu R) (laffine Rops (layer_of l) (posts net k0 x)).
  by rewrite /= net_l laffine_pres.
have size_h' : size (posts net k0.+1 x) = size (layer_of l) by rewrite h' !size_map.
have := IH k0.+1 (size (layer_of l)) (head [::] Js) (behead Js) (behead vs) net_ls fit' out_m size_h'.
rewrite layer_rvec // -h' => rec.
split.
  case/andP=> /wantsP ok /rec more; split=> // e i; rewrite inE => iJ.
  rewrite (sent_value _ _ l_k _ h_k) ?size_map // mxE nth_ratio; apply: ok iJ.
  by apply: leq_trans (ltn_ord i) _; rewrite size_map.
case=> ok /rec more; apply/andP; split=> //; apply/wantsP => i lt iJ.
have lt' : (i < size (layer_of l))%N by rewrite size_map.
have := ok ord0 (Ordinal lt'); rewrite inE => /(_ iJ).
by rewrite (sent_value _ _ l_k _ h_k) ?size_map // mxE nth_ratio.
Qed.

(* Values at one input                                                        *)

Definition real_vector (h : zvector) : seq R := [seq zr a / zp h.1 | a <- h.2].

Lemma rdot_real c h : rdot c (real_vector h) = zr (zdot Z0 c h.2) / zp h.1.
Proof.
rewrite /real_vector; elim: c h.2 => [|a c IH] [|b s]; rewrite ?zdot_cons /= ?zr0 ?mul0r //.
by rewrite IH [in RHS]zdotE zrD zrM zr0 add0r mulrDl mulrA.
Qed.

Lemma zposts_ofP l h : sends l (real_vector h) = real_vector (zposts_of l h).
Proof.
rewrite /sends /pres /real_vector /zposts_of /= -!map_comp; apply: eq_map => wb /=.
rewrite /pre rdot_real -[Z.max _ _]/(zrelu _) zr_relu [in RHS]zdotE zrM zpM -/(zp h.1).
have D0 := zp_gt0 R l.1; have H0 := zp_gt0 R h.1.
move: (zr (zdot _ _ _)) (zr wb.2) (zp l.1) (zp h.1) D0 H0 => a b D H D0 H0.
have -> : (a / H + b) / D = (b * H + a) / (D * H) by field; rewrite !gt_eqF.
have DH : 0 < (D * H)^-1 by rewrite invr_gt0 mulr_gt0.
have [ge0|lt0] := leP 0 (b * H + a).
  by rewrite !relu_id // mulr_ge0 // ltW.
by rewrite (relu_0 (ltW lt0)) mul0r relu_0 // mulr_le0_ge0 // ltW.
Qed.

Lemma zpostsP ls k z : posts ls k (real_vector z) = real_vector (zposts ls k z).
Proof. by elim: k => [//|k IH] /=; rewrite IH zposts_ofP. Qed.

(* Regions and nets over R                                                    *)

Definition real_layer (l : llayer Q) : llayer R := [seq (map ratio wb.1, ratio wb.2) | wb <- l].

Lemma layer_of_integers l : layer_of (integers l) = real_layer l.
Proof.
rewrite /integers /layer_of /real_layer; set qs := flatten _; have := commons_all qs.
move: (commons qs) => D; rewrite {}/qs /= -map_comp.
have whole_ratio q : divides (Qden q) D -> zr (whole D q) / zp D = ratio q.
  by move=> dq; rewrite wholeE // mulrAC divff ?mul1r ?zp_neq0.
elim: l => [//|[w b] l IH] /=; rewrite all_cat => /andP[/= db /andP[dw /IH ->]].
rewrite /= whole_ratio //; congr ((_, _) :: _); rewrite -map_comp.
elim: w dw {db} => [//|a w IHw] /= /andP[da /IHw ->].
by rewrite whole_ratio.
Qed.

Definition in_region d (box : seq range) (x : 'rV[R]_d) := forall i : 'I_d,
  ratio (nth range0 box i).1 <= x 0 i /\ x 0 i <= ratio (nth range0 box i).2.

Lemma rvec_row d (x : 'rV[R]_d) : rvec d (row x) = x.
Proof.
apply/rowP=> i; rewrite mxE /row (nth_map i) ?size_enum_ord //.
by rewrite nth_ord_enum.
Qed.

Lemma within_region d box (x : 'rV[R]_d) : size box = d -> in_region box x -> within_box box (row x).
Proof.
move=> box_d in_x; apply: boxP => [|i]; first by rewrite /row size_map size_enum_ord.
rewrite box_d => lt; rewrite /row (nth_map (Ordinal lt)) ?size_enum_ord //.
have -> : nth (Ordinal lt) (enum 'I_d) i = Ordinal lt by apply: val_inj; rewrite /= nth_enum_ord.
exact: (in_x (Ordinal lt)).
Qed.

Lemma linked_layers k ls out :
  linked k (map layer_of ls) (layer_of out) = linked k (map snd ls) out.2.
Proof.
have fan n l : fan_in n (layer_of l) = fan_in n l.2.
  by rewrite /fan_in all_map; apply: eq_all => wb /=; rewrite size_map.
by elim: ls k => [|l ls IH] k /=; rewrite fan // IH size_map.
Qed.

Section Question.

Variables (d m : nat) (ls : seq (llayer Q)) (out : llayer Q) (box : seq range).
Variables (Js : seq (seq bool)) (vs : seq (seq Q)).
Let zs := map integers ls.
Let p := chain m d (map real_layer ls) (real_layer out).
Let ws := map size (map real_layer ls).
Let sends x := idle_deep set0 p (circuits ws Js) (receives m ws (map (map ratio) vs))
  (fun _ : 'I_1 => x).

Lemma sends_targets (x : seq R) : shaped d m zs (integers out) box -> size x = d ->
  all (fun t : target => fvalue t.1.2 (posts zs t.1.1 x) == ratio t.2)
    (targets 0 [::] zs (integers out) Js vs) <-> sends (rvec d x).
Proof.
case/and3P=> fit /eqP out_m _ x_d.
have real : map layer_of zs = map real_layer ls.
  by rewrite /zs -map_comp; apply: eq_map => l; apply: layer_of_integers.
have := @targetsP zs 0 m d zs (integers out) [::] Js vs x (drop0 _).
by rewrite linked_layers real layer_of_integers members_nil; apply.
Qed.

Theorem C2_check_region t : check_region d m zs (integers out) box Js vs t ->
  forall x, in_region box x -> sends x.
Proof.
case/and3P=> fit _ closed_t x in_x; have /and3P[_ _ /eqP box_d] := fit.
have [planes [moves all_x]] := closedP R closed_t.
have x_d : size (row x) = d by rewrite /row size_map size_enum_ord.
have start (y : seq R) : part zs [::] y by move=> k j; rewrite !nth_nil; apply: good_unknown.
have in_box := within_region box_d in_x.
rewrite -(rvec_row x); apply/sends_targets => //; apply/all_In => w w_ts.
have [/andP[flat_w same]|asked_w] := boolP (trivial w); first by apply/eqP/flatP.
apply/eqP; apply: (everywhere moves _ in_box) => y y_box off.
have /all_In/(_ w) := all_x y (start y) y_box off; rewrite /asked => each_w.
by apply/eqP/each_w/List.filter_In.
Qed.

(* So hardcoding the circuit changes no output on the box.                    *)
Corollary region_cut t : check_region d m zs (integers out) box Js vs t -> forall x, in_region box x ->
  c2_deep.out (cut_deep set0 p (circuits ws Js) (receives m ws (map (map ratio) vs))) x
  = c2_deep.out p x.
Proof. by move=> ok x /(C2_check_region ok) idle; apply: (C2_deep idle ord0). Qed.

Theorem C2_check_acts z : check_acts d m zs (integers out) box Js vs z ->
  in_region box (vec R d z) /\ ~ sends (vec R d z).
Proof.
case/and4P=> fit /eqP z_d in_z other; have /and3P[_ _ /eqP box_d] := fit.
have vecE : rvec d (map ratio z) = vec R d z.
  by apply/rowP=> i; rewrite !mxE nth_ratio.
split=> [i|].
  have lt : (i < size (zip box z))%N by rewrite size_zip box_d z_d minnn.
  have /(all_nthP (range0, Q0))/(_ i lt) := in_z; rewrite nth_zip ?box_d //= mxE.
  by rewrite -!(ratio_le R) => /andP[].
rewrite -vecE => /sends_targets-/(_ fit); rewrite size_map z_d => /(_ erefl).
have realz : real_vector (commons z, map (whole (commons z)) z) = map ratio z.
  have := commons_all z; rewrite /real_vector /= -map_comp; move: (commons z) => D.
  elim: (z) => [//|q s IH] /= /andP[dq /IH ->]; rewrite wholeE // mulrAC divff ?mul1r //.
  exact: zp_neq0.
move/all_In => all_t; have [t t_ts] := has_In other.
rewrite /receives_other -(ratioP R) ratio_add ratioE zpM => /negP; apply.
have := all_t t t_ts; rewrite -realz zpostsP /fvalue rdot_real.
by rewrite -mulrA -invfM [zp _ * zp (denom _)]mulrC.
Qed.

End Question.

End Correct.
