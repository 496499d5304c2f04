(******************************************************************************)
(* Checkers of where deployment inputs lie: beyond a hyperplane that has all  *)
(* training inputs on one side, at one of these, or at an average of some, in *)
(* the words of c23_confinement.v. Rows are asked for by number, as in        *)
(* check_audits.v.                                                            *)
(*                                                                            *)
(*    shares D ws == the weights ws as integers over D, none negative, sum D  *)
(*  zmix d ks xs == the sum of k_e x_e, rows of length d                      *)
(* average d s N get D is ws x == the rows whose numbers are given, in the    *)
(*                   scale s, if x is their average with the weights ws       *)
(* check_average == there are such rows                                       *)
(* check_row_of d s N get i x == x is the row number i                        *)
(* check_beyond d s e wb x == w . x + b > 0                                    *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_deep c2_deep check_chains check_integers
  check_audits c23_confinement.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Local Notation llayer := check_deep.layer.

Definition zsum (ks : seq Z) := foldr Z.add Z0 ks.

Definition shares (D : Z) (ws : seq number) : option (seq Z) :=
  if overs (Scale Z0 D) ws is Some ks then
    if [&& Z.ltb Z0 D, all (Z.leb Z0) ks & Z.eqb (zsum ks) D] then Some ks else None
  else None.

Definition zadd (u v : seq Z) := [seq Z.add p.1 p.2 | p <- zip u v].

Definition zmix (d : nat) (ks : seq Z) (xs : seq (seq Z)) :=
  foldr (fun p sum => zadd [seq Z.mul p.1 a | a <- p.2] sum) (nseq d Z0) (zip ks xs).

(* A row, over the scale.                                                     *)
Definition row_over (d : nat) (s : scale) (x : seq number) : option (seq Z) :=
  if overs s x is Some u then (if size u == d then Some u else None) else None.

(* The training row of that number.                                           *)
Definition row_at (d : nat) (s : scale) (n : Z) (get : Z -> seq number) (i : Z) :=
  if Z.leb Z0 i && Z.ltb i n then row_over d s (get i) else None.

Definition average (d : nat) (s : scale) (N : nat) (get : Z -> seq number) (D : Z)
    (chosen : seq Z) (ws x : seq number) : option (seq (seq Z)) :=
  if proper s && (size chosen == size ws) then
    if shares D ws is Some ks then
      if each (row_at d s (Z.of_nat N) get) chosen is Some xs then
        if row_over d s x is Some u then
          if zsame (zmix d ks xs) [seq Z.mul D a | a <- u] then Some xs else None
        else None
      else None
    else None
  else None.

Definition check_average d s N get D chosen ws x :=
  if average d s N get D chosen ws x is Some _ then true else false.

Definition check_row_of d s N get i x :=
  if row_at d s (Z.of_nat N) get i is Some u then
    if row_over d s x is Some v then proper s && zsame u v else false
  else false.

Definition check_beyond d s e (wb : seq number * number) x :=
  if proper s && proper e then
    if row_over d e wb.1 is Some w then
      if over (times e s) wb.2 is Some b then
        if row_over d s x is Some u then Z.ltb Z0 (zdot b w u) else false
      else false
    else false
  else false.

Lemma each_size (A B : Type) (f : A -> option B) s t : each f s = Some t -> size t = size s.
Proof. by move/eachP/(congr1 size); rewrite !size_map => ->. Qed.

Lemma each_at (A B : Type) (f : A -> option B) a0 b0 s t i : each f s = Some t ->
  (i < size s)%N -> f (nth a0 s i) = Some (nth b0 t i).
Proof.
move=> st i_s; have t_s := each_size st; move/eachP: st => st.
by rewrite -(nth_map _ None f) // st (nth_map b0) // t_s.
Qed.

Local Open Scope ring_scope.

Section Correct.

Variable R : realFieldType.
Local Notation value := (value R).
Local Notation vlayer := (value_layer R).
Local Notation Rops := (Rops R).
Local Notation zr := (zr R).

Variables (d N : nat) (get : Z -> seq number).
Let z (i : 'I_N) : 'rV[R]_d := zrow R d get (Z.of_nat i).

Lemma row_overP s x u : proper s -> row_over d s x = Some u ->
  size u = d /\ rvec d (map value x) = rvec d (multiple R s u).
Proof.
move=> s_gt0; rewrite /row_over; case xE: overs => [v|//]; case: eqP => // v_d [<-].
by rewrite (oversP R s_gt0 xE).
Qed.

Lemma row_atP s i u : proper s -> row_at d s (Z.of_nat N) get i = Some u ->
  exists2 e : 'I_N, i = Z.of_nat e & size u = d /\ z e = rvec d (multiple R s u).
Proof.
move=> s_gt0; rewrite /row_at; case: ifP => // /andP[/Z.leb_spec0 i0 /Z.ltb_spec0 iN].
have i_N : (Z.to_nat i < N)%N by apply/ssrnat.ltP; lia.
move/(row_overP s_gt0) => [u_d uE]; exists (Ordinal i_N) => /=; first by rewrite Z2Nat.id.
by split=> //; rewrite /z /zrow /= Z2Nat.id.
Qed.

Lemma zr_sum ks n : size ks = n -> zr (zsum ks) = \sum_(e < n) zr (nth Z0 ks e).
Proof.
move=> <-; elim: ks => [|k ks IH] /=; first by rewrite big_ord0 zr0.
by rewrite big_ord_recl zrD IH.
Qed.

Lemma zmixP n ks xs : size ks = n -> size xs = n -> all (fun x => size x == d) xs ->
  size (zmix d ks xs) = d /\ forall j, (j < d)%N ->
  zr (nth Z0 (zmix d ks xs) j) = \sum_(e < n) zr (nth Z0 ks e) * zr (nth Z0 (nth [::] xs e) j).
Proof.
elim: n ks xs => [|n IH] [|k ks] [|x xs] //=.
  by move=> _ _ _; rewrite size_nseq; split=> // j j_d; rewrite big_ord0 nth_nseq j_d zr0.
move=> [ks_n] [xs_n] /andP[/eqP x_d /(IH _ _ ks_n xs_n) [m_d mE]].
have zip_d : size (zip [seq Z.mul k a | a <- x] (zmix d ks xs)) = d.
  by rewrite size_zip size_map x_d m_d minnn.
split=> [|j j_d]; first by rewrite /zmix /= -/(zmix d ks xs) size_map.
rewrite /zmix /= -/(zmix d ks xs) (nth_map (Z0, Z0)) ?zip_d //.
rewrite nth_zip ?size_map ?x_d ?m_d //= zrD (nth_map Z0) ?x_d // zrM mE //.
by rewrite big_ord_recl.
Qed.

Lemma sharesP D ws ks n : shares D ws = Some ks -> size ws = n ->
  [/\ size ks = n, 0 < zr D & weights (fun e : 'I_n => zr (nth Z0 ks e) / zr D)].
Proof.
rewrite /shares; case E: overs => [k|//]; case: ifP => // /and3P[D_gt0 ge0 /Z.eqb_spec sumD].
move=> [<-] ws_n; have k_n : size k = n by rewrite (each_size E).
have zD_gt0 : 0 < zr D by rewrite zr_gt0.
split=> //; split=> [e|].
  rewrite divr_ge0 ?(ltW zD_gt0) // -(zr0 R) zr_le.
  by apply: (all_nthP Z0 ge0); rewrite k_n.
by rewrite -mulr_suml -(zr_sum k_n) sumD divff // gt_eqF.
Qed.

Lemma averageP s D chosen ws x xs : average d s N get D chosen ws x = Some xs ->
  [/\ proper s, size xs = size chosen, all (fun u => size u == d) xs
    & exists at_ : 'I_(size chosen) -> 'I_N, exists l : 'I_(size chosen) -> R,
      [/\ weights l, rvec d (map value x) = mix l (z \o at_)
        & forall e, z (at_ e) = rvec d (multiple R s (nth [::] xs e))]].
Proof.
rewrite /average; case: ifP => // /andP[s_gt0 /eqP ws_n]; case kE: shares => [ks|//].
case xsE: each => [us|//]; case xE: row_over => [u|//]; case: zsameP => // same [usE].
rewrite {us}usE in xsE same *; have xs_n := each_size xsE.
have [ks_n D_gt0 wl] := sharesP kE (esym ws_n).
have row e : (e < size chosen)%N ->
    row_at d s (Z.of_nat N) get (nth Z0 chosen e) = Some (nth [::] xs e).
  exact: each_at xsE.
have xs_d : all (fun v => size v == d) xs.
  apply/(all_nthP [::])=> e; rewrite xs_n => /row/(row_atP s_gt0)[_ _ [-> _]].
  exact: eqxx.
have /fin_all_exists[at_ atP] : forall e : 'I_(size chosen), exists i : 'I_N,
    z i = rvec d (multiple R s (nth [::] xs e)).
  by move=> e; have [i _ [_ zE]] := row_atP s_gt0 (row e (ltn_ord e)); exists i.
split=> //; exists at_, (fun e => zr (nth Z0 ks e) / zr D); split=> //.
have [u_d ->] := row_overP s_gt0 xE; have [mix_d mixE] := zmixP ks_n xs_n xs_d.
have zD : zr D != 0 by rewrite gt_eqF.
apply/rowP=> j; rewrite mxE (nth_map Z0) ?u_d // summxE.
have := mixE j (ltn_ord j); rewrite same (nth_map Z0) ?u_d // zrM => uE.
apply: (mulfI zD); rewrite mulrCA uE !mulr_sumr; apply: eq_bigr => e _.
have e_d : size (nth [::] xs e) = d by apply/eqP/(all_nthP [::] xs_d); rewrite xs_n.
rewrite [LHS]mulrCA [in RHS]mxE /= atP [in RHS]mxE (nth_map Z0) ?e_d //.
by rewrite [RHS]mulrA [zr D * _]mulrC divfK.
Qed.

Theorem C23_check_average s D chosen ws x : check_average d s N get D chosen ws x ->
  exists k (at_ : 'I_k -> 'I_N) (l : 'I_k -> R),
    weights l /\ rvec d (map value x) = mix l (z \o at_).
Proof.
rewrite /check_average; case E: average => [xs|//] _.
by have [_ _ _ [at_ [l [wl xE _]]]] := averageP E; exists _, at_, l.
Qed.

Theorem C23_check_row_of s i x : check_row_of d s N get i x ->
  exists e : 'I_N, rvec d (map value x) = z e.
Proof.
rewrite /check_row_of; case E: row_at => [u|//]; case F: row_over => [v|//].
case/andP=> s_gt0 /zsameP uv; have [_ ->] := row_overP s_gt0 F.
by have [e _ [_ zE]] := row_atP s_gt0 E; exists e; rewrite zE uv.
Qed.

(* Hyperplanes are units of a layer of their own: those that are dead at all  *)
(* rows have all of these on one side.                                        *)
Theorem C10_check_beyond m out planes J j s e x : linked d [:: planes] out -> size out = m ->
    (forall i : 'I_N, size (get (Z.of_nat i)) = d) ->
    holds R d m [:: planes] out N get 0 (Dead J) -> nth false J j -> (j < size planes)%N ->
    check_beyond d s e (nth ([::], Number Z0 Z0 Z0) planes j) x ->
  let wb := nth ([::], Number Z0 Z0 Z0) planes j in
  let height v := dot (rvec d (map value wb.1)) v + value wb.2 in
  (forall i, height (z i) <= 0) /\ 0 < height (rvec d (map value x)).
Proof.
move=> fit out_m get_d dead jJ j_n above wb height; have /andP[planes_d _] := fit.
have w_d : size wb.1 = d by apply/eqP; apply: (all_nthP _ planes_d).
split=> [i|].
  have := dead i j jJ; rewrite /zrow hidden_chain ?linked_value ?size_map ?get_d //.
  rewrite /= (nth_map 0) ?size_map // (nth_map (runit0 R)) ?size_map //.
  rewrite (nth_map ([::], Number Z0 Z0 Z0)) // -/wb => off.
  rewrite /height /z /zrow dot_rvec ?size_map ?get_d // leNgt; apply/negP=> pos.
  by move: off; rewrite relu_id ?(ltW pos) // => /eqP; rewrite gt_eqF.
move: above; rewrite /check_beyond -/wb; case: ifP => // /andP[s_gt0 e_gt0].
case wE: row_over => [w|//]; case bE: over => [b|//]; case xE: row_over => [u|//] pos.
have t_gt0 := proper_times e_gt0 s_gt0.
have [u_d xvE] := row_overP s_gt0 xE; have [wz_d wvE] := row_overP e_gt0 wE.
rewrite /height xvE wvE (overP R t_gt0 bE) dot_rvec ?size_map // ldotZ -size_times -mulrDr.
by rewrite mulr_gt0 ?size_gt0 // addrC -zdotE zr_gt0.
Qed.

End Correct.
