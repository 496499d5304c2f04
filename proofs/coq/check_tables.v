(******************************************************************************)
(* Checkers of the features (1, phi_1, .., phi_n) of a hidden layer of a deep *)
(* net at rows of data, in integers: that they are independent, by a minor    *)
(* that has an inverse modulo a number; relations among them; and that there  *)
(* are fewer distinct inputs than features. Rows are asked for by number, as  *)
(* in check_audits.v.                                                         *)
(*                                                                            *)
(* table c p k J z == the matrix of these features, of the units J of layer k *)
(* check_minor == at chosen rows, times what inverse makes of them, they are  *)
(*            the identity modulo q: they have full column rank               *)
(* check_relations == combinations of them, each as a unit (v, v_0), that are *)
(*            0 at all rows: they are dead with both signs                    *)
(* check_few == every row is one of the distinct rows reps; there are no more *)
(*            than w of these                                                 *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_deep c2_deep check_chains check_integers
  check_audits check_units check_hulls check_products.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Local Notation llayer := check_deep.layer.

Definition zone : Z := Zpos xH.

Definition zfeatures (J : seq bool) (zs : seq (llayer Z)) (k : nat) (x : seq Z) :=
  zone :: mask J (zforward (take k.+1 zs) x).

Definition unit_row (c r : nat) := nseq r Z0 ++ zone :: nseq (c - r.+1) Z0.

Definition reduced (q : Z) (u : seq Z) := [seq Z.modulo a q | a <- u].

Fixpoint minor_rows (q : Z) (c : nat) (p : wide) (us : seq (seq Z)) (r : nat) : bool :=
  if us is u :: us' then
    if (size u == c) && zsame (reduced q (sums p u)) (unit_row c r)
    then minor_rows q c p us' r.+1 else false
  else true.

Definition check_minor (s : scale) (es : seq scale) (d m : nat) (ls : seq (llayer number))
    (out : llayer number) (N : nat) (get : Z -> seq number) (k : nat) (J : seq bool) (q : Z)
    (chosen : seq Z) (parts : grouping) (inverse : seq (seq Z) -> seq (seq Z)) : bool :=
  if [&& proper s, linked d ls out, size out == m, (k < size ls)%N & Z.ltb zone q] then
    if over_layers s es (rcons ls out) is Some zs then
      if each (row_at d s (Z.of_nat N) get) chosen is Some xs then
        if widen parts (greatest (map greatest xs)) d (take k.+1 zs) is Some ps then
          let us := [seq reduced q (zone :: mask J (wforward ps x)) | x <- xs] in
          let bs := inverse us in
          let c := size chosen in
          if wide_of parts q c [seq (reduced q b, Z0) | b <- bs] is Some p then
            (size bs == c) && minor_rows q c p us 0
          else false
        else false
      else false
    else false
  else false.

Definition nnumber (a : number) := Number (Z.opp (mantissa a)) (exponent a) (divisor a).

Definition both_signs (rels : llayer number) :=
  rels ++ [seq (map nnumber wb.1, nnumber wb.2) | wb <- rels].

Definition nonzero (a : number) := ~~ Z.eqb (mantissa a) Z0 && Z.ltb Z0 (divisor a).

Definition check_relations (s : scale) (es : seq scale) (cuts : seq Z) (d m : nat)
    (ls : seq (llayer number)) (out : llayer number) (N : nat) (get : Z -> seq number) (k : nat)
    (rels : llayer number) : bool :=
  [&& linked d ls out, (k < size ls)%N, all (fun wb => has nonzero (wb.2 :: wb.1)) rels
    & check_rows s es cuts d 0 (rcons (take k.+1 ls) (both_signs rels)) [::]
        (nseq k.+1 [::] ++ [:: [:: Dead (nseq (size (both_signs rels)) true)]]) N get].

Fixpoint distinct (us : seq (seq Z)) : bool :=
  if us is u :: us' then all (fun v => ~~ zsame u v) us' && distinct us' else true.

Definition same_row (d : nat) (s : scale) (n : Z) (get : Z -> seq number) (i j : Z) :=
  if row_at d s n get i is Some u then
    if row_at d s n get j is Some v then zsame u v else false
  else false.

Definition check_few (s : scale) (d N : nat) (get : Z -> seq number) (reps : seq Z)
    (rep : Z -> Z) (w : nat) : bool :=
  let n := Z.of_nat N in
  if proper s && (size reps <= w)%N then
    if each (row_at d s n get) reps is Some us then
      distinct us && every (fun i => has (Z.eqb (rep i)) reps && same_row d s n get i (rep i)) Z0 N
    else false
  else false.

Local Open Scope ring_scope.

(* Integers of Coq in a ring.                                                 *)
Section Rings.

Variable S : comRingType.

Definition zin (a : Z) : S := (int_of_Z a)%:~R.

Lemma zinD a b : zin (Z.add a b) = zin a + zin b.
Proof. by rewrite /zin int_of_ZD intrD. Qed.

Lemma zinM a b : zin (Z.mul a b) = zin a * zin b.
Proof. by rewrite /zin int_of_ZM intrM. Qed.

Lemma zin_dot c u b : size b = c ->
  zin (zdot Z0 u b) = \sum_(j < c) zin (nth Z0 u j) * zin (nth Z0 b j).
Proof.
have acc v w a : zin (zdot a v w) = zin a + zin (zdot Z0 v w).
  elim: v w a => [|x v IH] [|y w] a; rewrite ?zdot_cons /= ?addr0 //.
  by rewrite IH zinD -addrA [in RHS]IH.
move=> <-; elim: b u => [|y b IH] [|x u]; rewrite ?zdot_cons; try by rewrite big_ord0.
- by rewrite big1 // => j _; rewrite nth_nil [zin Z0]/(0 : S) mul0r.
by rewrite acc zinM IH big_ord_recl.
Qed.

End Rings.

Section Modulo.

Variables (q : Z) (c : nat).
Hypothesis q_gt1 : Z.ltb zone q.

Let p := Z.to_nat q.
Let zinp (a : Z) : 'Z_p := zin _ a.

Let q1 : Z.lt (Zpos xH) q. Proof. exact/Z.ltb_spec0. Qed.

Lemma p_gt1 : (1 < p)%N. Proof. by apply/ssrnat.ltP; rewrite /p; lia. Qed.

Lemma int_of_nat n : int_of_Z (Z.of_nat n) = n.
Proof. by elim: n => // n IH; rewrite Nat2Z.inj_succ -Z.add_1_l int_of_ZD IH. Qed.

Lemma zin_mod a : zinp (Z.modulo a q) = zinp a.
Proof.
have q0 : zinp q = 0.
  have -> : q = Z.of_nat p by rewrite Z2Nat.id //; lia.
  by rewrite /zinp /zin int_of_nat; apply: char_Zp p_gt1.
rewrite /zinp in q0 *.
by rewrite {2}(Z.div_mod a q) ?zinD ?zinM ?q0 ?mul0r ?add0r //; lia.
Qed.

Lemma unit_rowE r i : (r < c)%N -> (i < c)%N ->
  nth Z0 (unit_row c r) i = if i == r then zone else Z0.
Proof.
move=> r_c i_c; rewrite nth_cat size_nseq nth_nseq; case: ltngtP => [//|r_i|->].
  by rewrite -(subnSK r_i) /= nth_nseq if_same.
by rewrite subnn.
Qed.

(* Rows that some columns bring to the unit matrix modulo q.                  *)
Lemma minor_rowsP parts w bs us : wide_of parts q c [seq (reduced q b, Z0) | b <- bs] = Some w ->
    minor_rows q c w (map (reduced q) us) 0 -> size us = c -> size bs = c ->
  \det (\matrix_(r < c, j < c) int_of_Z (nth Z0 (nth [::] us r) j)) != 0.
Proof.
move=> wE rows us_c bs_c; pose A := \matrix_(r < c, j < c) int_of_Z (nth Z0 (nth [::] us r) j).
have at_r r r0 : minor_rows q c w (map (reduced q) us) r0 -> (r < size us)%N ->
    size (nth [::] us r) = c /\
    [seq Z.modulo (zdot Z0 (reduced q b) (reduced q (nth [::] us r))) q | b <- bs]
    = unit_row c (r0 + r).
  elim: us r r0 {rows us_c A} => [//|u us IH] [|r] r0 /=;
    case: ifP => // /andP[/eqP u_c /zsameP uE].
    move=> _ _; rewrite size_map in u_c; rewrite addn0 -uE (sumsE _ _ _ wE) ?size_map //.
    - by rewrite /reduced /zaffine -!map_comp.
    - by lia.
    apply/allP=> a /mapP[b _ ->]; apply/Z.leb_spec0.
    by have := Z.mod_pos_bound b q; lia.
  by move=> rest r_us; rewrite addnS -addSn; apply: IH.
pose B := \matrix_(j < c, i < c) zinp (nth Z0 (nth [::] bs i) j).
have AB : map_mx intr A *m B = 1%:M.
  apply/matrixP=> r i; have r_us : (r < size us)%N by rewrite us_c.
  have [u_c uE] := at_r r 0%N rows r_us.
  have := congr1 (fun v => zinp (nth Z0 v i)) uE; rewrite (nth_map [::]) ?bs_c // zin_mod.
  rewrite add0n unit_rowE // /zinp (zin_dot _ (c := c)) ?size_map // => dotE.
  rewrite !mxE; transitivity (zinp (if i == r then zone else Z0)).
    rewrite /zinp -[i == r]/(val i == val r) -dotE; apply: eq_bigr => j _; rewrite !mxE mulrC.
    have red v : zinp (nth Z0 (reduced q v) j) = zinp (nth Z0 v j).
      have [j_v|v_j] := ltnP j (size v); first by rewrite (nth_map Z0) // zin_mod.
      by rewrite !nth_default ?size_map.
    by rewrite -!/(zinp _) !red.
  by rewrite eq_sym; case: eqP.
apply/eqP=> A0; have := congr1 determinant AB; rewrite det_mulmx det1 det_map_mx A0 rmorph0 mul0r.
by move/eqP; rewrite eq_sym oner_eq0.
Qed.

End Modulo.

Section Correct.

Variable R : realFieldType.
Local Notation value := (value R).
Local Notation vlayer := (value_layer R).
Local Notation Rops := (Rops R).
Local Notation zr := (zr R).

Definition table N c m d ws (p : params R m d ws) (k : nat) (J : seq bool) (z : 'I_N -> 'rV[R]_d) :=
  \matrix_i rvec c.+1 (1 :: mask J (hidden p k (z i))).

Variables (d m : nat) (ls : seq (llayer number)) (out : llayer number).
Let p := chain m d (map vlayer ls) (vlayer out).
Variables (N : nat) (get : Z -> seq number).
Let z (i : 'I_N) : 'rV[R]_d := zrow R d get (Z.of_nat i).

Theorem C9_check_minor s es k J q chosen parts inverse c : size chosen = c.+1 ->
  check_minor s es d m ls out N get k J q chosen parts inverse -> \rank (table c p k J z) = c.+1.
Proof.
move=> ch_c; rewrite /check_minor ch_c; case: ifP => // /and5P[s_gt0 fit _ k_ls q_gt1].
case zsE: over_layers => [zs|//]; case xsE: each => [xs|//]; case psE: widen => [ps|//].
set us := map _ xs; case bE: wide_of => [b|//] /andP[/eqP bs_c rows].
have xs_c : size xs = c.+1 by rewrite (each_size xsE).
have row r : (r < c.+1)%N -> row_at d s (Z.of_nat N) get (nth Z0 chosen r) = Some (nth [::] xs r).
  by move=> r_c; apply: each_at xsE _; rewrite ch_c.
have us_c : size (map (zfeatures J zs k) xs) = c.+1 by rewrite size_map.
have usE : us = map (reduced q) (map (zfeatures J zs k) xs).
  rewrite -map_comp; apply/(@eq_from_nth _ [::]) => [|r]; rewrite !size_map // xs_c => r_c.
  rewrite !(nth_map [::]) ?xs_c //= /zfeatures; congr (reduced q (zone :: mask J _)).
  have [_ _ [x_d _]] := row_atP R s_gt0 (row r r_c).
  apply: wforwardE psE _ x_d _; first exact: greatest_ge0.
  have /(all_nthP Z0)/(_ r) := within_greatest (Z.le_refl (greatest (map greatest xs))).
  rewrite size_map xs_c (nth_map [::]) ?xs_c // => /(_ r_c)/Z.leb_spec0 le_all.
  by apply: within_greatest; lia.
rewrite usE in rows; have dt := minor_rowsP q_gt1 bE rows us_c bs_c.
have t_gt0 := proper_at R s_gt0 zsE k_ls; set t := scale_at s (take k.+1 es) in t_gt0.
have /fin_all_exists[at_ atP] : forall r : 'I_c.+1, exists i : 'I_N,
    hidden p k (z i) = multiple R t (zforward (take k.+1 zs) (nth [::] xs r)).
  move=> r; have [i _ [x_d zE]] := row_atP R s_gt0 (row r (ltn_ord r)).
  by exists i; rewrite /z zE (hiddenE R m s_gt0 fit zsE).
pose D : 'rV[R]_c.+1 := \row_j if val j == 0%N then 1 else size_of R t.
pose A := \matrix_(r < c.+1, j < c.+1)
  int_of_Z (nth Z0 (nth [::] (map (zfeatures J zs k) xs) r) j).
have rowsE : \matrix_r matrix.row (at_ r) (table c p k J z) = map_mx intr A *m diag_mx D.
  apply/matrixP=> r j; rewrite mul_mx_diag !mxE atP (nth_map [::]) ?xs_c // /zfeatures.
  case: j => -[|j] j_c /=; first by rewrite mulr1.
  by rewrite mask_multiple nth_multiple mulrC.
have full : \rank (\matrix_r matrix.row (at_ r) (table c p k J z)) = c.+1.
  rewrite rowsE; apply: mxrank_unit; rewrite unitmx_mul !unitmxE !unitfE det_map_mx intr_eq0 dt.
  rewrite det_diag; apply/prodf_neq0=> j _; rewrite mxE; case: ifP => _; first exact: oner_neq0.
  by rewrite gt_eqF ?size_gt0.
apply/eqP; rewrite eqn_leq rank_leq_col -{1}full.
have -> : \matrix_r matrix.row (at_ r) (table c p k J z)
    = (\matrix_(r, i) (i == at_ r)%:R) *m table c p k J z.
  apply/row_matrixP=> r; rewrite rowK row_mul; apply/rowP=> j; rewrite !mxE.
  rewrite (bigD1 (at_ r)) //= !mxE eqxx mul1r big1 ?addr0 // => i /negbTE ne.
  by rewrite !mxE ne mul0r.
exact: mxrankM_maxr.
Qed.

(* Relations                                                                  *)

Definition noterms : seq number * number := ([::], Number Z0 Z0 Z0).

Lemma value_opposite a : value (nnumber a) = - value a.
Proof. by rewrite /value /= zrN !mulNr. Qed.

Lemma dot_opposite (w x : seq R) : ldot Rops (map -%R w) x = - ldot Rops w x.
Proof.
elim: w x => [|a w IH] [|b x]; rewrite /ldot /= ?oppr0 //.
by rewrite mulNr opprD; congr (_ + _); apply: IH.
Qed.

Theorem C9_check_relations s es cuts k rels :
    check_relations s es cuts d m ls out N get k rels ->
  forall j, (j < size rels)%N -> forall i, let wb := nth noterms rels j in
    ldot Rops (map value wb.1) (hidden p k (z i)) + value wb.2 = 0.
Proof.
case/and4P=> fit k_ls _ rows j j_n i wb.
have [fit' _ get_d] := rows_fit R rows; set J := nseq _ true in rows.
set ls' := rcons _ _ in rows fit'.
have ls'_n : size ls' = k.+2 by rewrite size_rcons size_takel.
have := C2_check_rows R (k := k.+1) (c := Dead J) rows.
rewrite nth_cat size_nseq ltnn subnn /= => /(_ (or_introl erefl)) dead.
have x_d : size (map value (get (Z.of_nat i))) = d by rewrite size_map get_d.
have firstE : hidden p k (z i)
    = lforward Rops (take k.+1 (map vlayer ls)) (map value (get (Z.of_nat i))).
  by rewrite /z /zrow hidden_chain ?linked_value ?size_map.
have lastE : hidden (chain 0 d (map vlayer ls') (vlayer [::])) k.+1 (z i)
    = map (@relu R) (laffine Rops (vlayer (both_signs rels)) (hidden p k (z i))).
  rewrite firstE /z /zrow hidden_chain ?linked_value ?size_map ?ls'_n //.
  rewrite take_oversize ?size_map ?ls'_n // map_rcons /lforward foldl_rcons map_take.
  by [].
have off j' : (j' < size (both_signs rels))%N -> let wb' := nth noterms (both_signs rels) j' in
    ldot Rops (map value wb'.1) (hidden p k (z i)) + value wb'.2 <= 0.
  move=> j'_n; have := dead i j'; rewrite /J nth_nseq j'_n => /(_ isT).
  rewrite -/(z i) lastE (nth_map 0) ?size_map // (nth_map (runit0 R)) ?size_map //.
  rewrite (nth_map noterms) //= => zero.
  by rewrite leNgt; apply/negP=> pos; move: zero; rewrite relu_id ?ltW // => /eqP; rewrite gt_eqF.
have both_n : size (both_signs rels) = (size rels + size rels)%N by rewrite size_cat size_map.
have := off j; have := off (size rels + j)%N.
rewrite both_n ltn_add2l ltn_addr // => /(_ j_n) + /(_ isT).
rewrite /both_signs !nth_cat j_n ltnNge leq_addr /= addKn (nth_map noterms) //= -/wb.
have -> : map value (map nnumber wb.1) = map -%R (map value wb.1).
  by rewrite -!map_comp; apply: eq_map => a /=; rewrite value_opposite.
rewrite value_opposite dot_opposite -opprD oppr_le0 => ge0 le0.
by apply: le_anti; rewrite ge0 le0.
Qed.

Lemma nonzeroP a : nonzero a -> value a != 0.
Proof.
case/andP=> m_n0 q_gt0; rewrite /value mulf_neq0 ?mulf_neq0 //; last 2 first.
- by rewrite gt_eqF ?two_gt0.
- by rewrite invr_eq0 gt_eqF ?zr_gt0.
by apply: contra m_n0 => /eqP m0; apply/Z.eqb_spec; apply: (@zr_inj R); rewrite m0 zr0.
Qed.

(* So the features of a layer, all of its units, have no full column rank.    *)
Theorem C9_relations_rank s es cuts k rels j : let c := size (nth [::] ls k) in
    check_relations s es cuts d m ls out N get k rels -> (j < size rels)%N ->
    size (nth noterms rels j).1 = c -> (forall i : 'I_N, size (get (Z.of_nat i)) = d) ->
  (\rank (table c p k (nseq c true) z) < c.+1)%N.
Proof.
move=> c rels_ok j_n v_c get_d; have zero := C9_check_relations rels_ok j_n.
have /and4P[fit k_ls /(all_nthP noterms)/(_ j j_n) some _] := rels_ok.
set wb := nth noterms rels j in v_c zero some.
pose v : 'rV[R]_c.+1 := rvec c.+1 (map value (wb.2 :: wb.1)).
have v_n0 : v != 0.
  apply: contraL some => /eqP v0; rewrite -all_predC; apply/(all_nthP (Number Z0 Z0 Z0))=> l l_n.
  apply: contraL (eqxx (0 : R)) => /= /nonzeroP; have l_c : (l < c.+1)%N by rewrite -v_c.
  have := congr1 (fun w : 'rV_c.+1 => w 0 (Ordinal l_c)) v0.
  by rewrite !mxE (nth_map (Number Z0 Z0 Z0)) // => ->.
have hid_c i : size (hidden p k (z i)) = c.
  rewrite /z /zrow hidden_chain ?linked_value ?size_map //.
  rewrite (take_nth [::]) ?size_map // /lforward foldl_rcons !size_map.
  by rewrite (nth_map [::]) // size_map.
have tv : table c p k (nseq c true) z *m v^T = 0.
  apply/matrixP=> i l; rewrite ord1 [RHS]mxE -[RHS](zero i) addrC.
  transitivity (dot (rvec c.+1 (1 :: mask (nseq c true) (hidden p k (z i)))) v).
    by rewrite mxE; apply: eq_bigr => r _; rewrite !mxE.
  rewrite dot_rvec ?size_map //=; last 2 first.
  - by rewrite mask_true ?hid_c.
  - by rewrite v_c.
  rewrite mask_true ?hid_c //; rewrite /ldot /= mul1r; congr (_ + _).
  by elim: (wb.1) (hidden p k (z i)) => [|a w IH] [|b x] //=; rewrite mulrC IH.
rewrite ltn_neqAle rank_leq_col andbT; apply: contra v_n0 => full.
have := tv; rewrite -[X in X = 0]trmxK trmx_mul trmxK => /(congr1 trmx).
rewrite trmxK trmx0 => kerT; apply/eqP.
apply: (row_free_inj (A := (table c p k (nseq c true) z)^T)); last by rewrite kerT mul0mx.
by rewrite /row_free mxrank_tr.
Qed.

(* Fewer inputs than features                                                 *)

Lemma distinctP n us : distinct us -> all (fun u => size u == n) us -> uniq us.
Proof.
elim: us => [//|u us IH] /= /andP[/allP apart rest] /andP[_ us_n]; rewrite IH // andbT.
by apply/negP=> /apart /negP[]; apply/zsameP.
Qed.

Theorem C9_check_few s reps rep w : check_few s d N get reps rep w ->
  [/\ size (undup [seq z i | i <- enum 'I_N]) = size reps, (size reps <= w)%N
    & forall n (f : 'rV[R]_d -> 'rV[R]_n), (w < n)%N -> (\rank (\matrix_i f (z i)) < n)%N].
Proof.
rewrite /check_few; case: ifP => // /andP[s_gt0 r_w].
case usE: each => [us|//] /andP[apart /everyP same].
have us_n : size us = size reps := each_size usE.
have row e : (e < size reps)%N ->
    row_at d s (Z.of_nat N) get (nth Z0 reps e) = Some (nth [::] us e).
  exact: each_at usE.
have us_d : all (fun u => size u == d) us.
  apply/(all_nthP [::])=> e; rewrite us_n => /row/(row_atP R s_gt0)[_ _ [-> _]].
  exact: eqxx.
pose zs := [seq rvec d (multiple R s u) | u <- us].
have zs_n : size zs = size reps by rewrite size_map.
have at_i i : exists e : 'I_(size reps), z i = nth 0 zs e.
  have := same i; case/andP=> /hasP[r r_in /Z.eqb_spec repE]; rewrite /same_row.
  case E: row_at => [u|//]; case F: row_at => [v|//] /zsameP uv.
  have e_n : (index r reps < size reps)%N by rewrite index_mem.
  exists (Ordinal e_n); rewrite (nth_map [::]) ?us_n //=.
  have := row _ e_n; rewrite nth_index // -repE F => -[<-].
  have [i' iE [_ zE]] := row_atP R s_gt0 E; rewrite -uv -zE.
  by congr z; apply/val_inj/Nat2Z.inj.
have uniq_zs : uniq zs.
  rewrite map_inj_in_uniq ?(distinctP apart us_d) //.
  move=> u v /(allP us_d)/eqP u_d /(allP us_d)/eqP v_d.
  move/(congr1 (@compute.row R d)); rewrite !row_rvec ?size_map //.
  exact: multiple_inj.
split=> // [|n f w_n].
  rewrite -zs_n; apply/perm_size/uniq_perm => //; first exact: undup_uniq.
  move=> x; rewrite mem_undup; apply/mapP/(nthP 0) => [[i _ ->]|[e e_n <-]].
    by have [e ->] := at_i i; exists e => //; rewrite zs_n.
  rewrite zs_n in e_n; have [i _ [_ zE]] := row_atP R s_gt0 (row e e_n).
  by exists i; rewrite ?mem_enum // (nth_map [::]) ?us_n // -zE.
have /fin_all_exists[at_ atP] := at_i.
have -> : \matrix_i f (z i)
    = (\matrix_(i, e) (e == at_ i)%:R) *m \matrix_(e < size reps) f (nth 0 zs e).
  apply/row_matrixP=> i; rewrite rowK row_mul; apply/rowP=> j; rewrite !mxE.
  rewrite (bigD1 (at_ i)) //= !mxE eqxx mul1r big1 ?addr0 => [|e /negbTE ne].
    by rewrite atP.
  by rewrite !mxE ne mul0r.
by apply: leq_ltn_trans (mulmx_max_rank _ _) (leq_ltn_trans r_w w_n).
Qed.

End Correct.
