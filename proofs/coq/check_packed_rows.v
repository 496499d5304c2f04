(******************************************************************************)
(* Checkers of audits, many rows at once: that units are dead, or have one    *)
(* positive value, at all rows. The rows come in blocks, a column of a block  *)
(* in the slots of one integer, to so many digits as a way says               *)
(* (check_packed.v). Where a way does not show it, the next is tried.         *)
(*                                                                            *)
(* forms_of l c == affine forms of what enters layer l that are at most 0     *)
(*          where the claim c holds                                           *)
(* block w rows == what is read for the way w: the packed columns of the rows   *)
(*          with these numbers                                                *)
(* told s get block w == what the reader must do: these are the leading       *)
(*          digits of the rows of get over the scale s, and as small as the   *)
(*          way says                                                          *)
(* check_blocks block parts s es ways d m ls out k cs N == the claims cs      *)
(*          about hidden layer k hold at all N rows; parts w n are the blocks *)
(*          into which the way w divides n rows                               *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_deep c2_deep check_chains check_integers
  check_rough check_slots check_packed check_audits.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Local Notation llayer := check_deep.layer.

Definition both_sides (u : seq Z * Z) (c : Z) : llayer Z :=
  [:: (u.1, Z.sub u.2 c); (map Z.opp u.1, Z.sub c u.2)].

Definition forms_of (l : llayer Z) (c : claim) : option (llayer Z) :=
  match c with
  | Dead J => Some (mask J l)
  | Steady J cs =>
    if (size J == size l) && all (Z.ltb Z0) cs && (size cs == size (mask J l)) then
      Some (flatten [seq both_sides u.1 u.2 | u <- zip (mask J l) cs])
    else None
  | Sends _ _ _ => None
  end.

Definition ready (d : nat) (zs : seq (llayer Z)) (fs : llayer Z) (w : way) : option prepared :=
  if [&& Z.leb Z0 (left_out w), Z.leb Z0 (most w) & Z.ltb Z0 (slot w)] then
    prepare (slot w) d (left_out w) (Z.ones (left_out w)) (most w) (hints w) (last_cut w) zs fs
  else None.

Fixpoint one_by_one (f : Z -> nat -> bool) (i : Z) (ns : seq nat) : bool :=
  if ns is n :: ns' then (if f i n then one_by_one f (Z.add i (Z.of_nat n)) ns' else false)
  else true.

Fixpoint rows_from (i : Z) (n : nat) : seq Z :=
  if n is n'.+1 then i :: rows_from (Z.succ i) n' else [::].

Section Blocks.

Variables (block : way -> seq Z -> seq Z) (parts : way -> nat -> seq nat).

Fixpoint at_rows (ws : seq (way * prepared)) (i : Z) (n : nat) : bool :=
  if ws is (w, p) :: ws' then
    let B := slot w in
    let f i' n' :=
      if surely B (in_each B n') (layers p) (forms p) (block w (rows_from i' n')) then true else at_rows ws' i' n' in
    if sumn (parts w n) == n then one_by_one f i (parts w n) else false
  else false.

Definition check_blocks (s : scale) (es : seq scale) (ways : seq way) (d m : nat)
    (ls : seq (llayer number)) (out : llayer number) (k : nat) (cs : seq claim) (N : nat) : bool :=
  if [&& proper s, linked d ls out, size out == m & (k < size ls)%N] then
    if over_layers s es (rcons ls out) is Some zs then
      if each (forms_of (nth [::] zs k)) cs is Some fss then
        if each (ready d (take k zs) (flatten fss)) ways is Some ps then
          at_rows (zip ways ps) Z0 N
        else false
      else false
    else false
  else false.

End Blocks.

Definition told (s : scale) (d N : nat) (get : Z -> seq number) (block : way -> seq Z -> seq Z)
    (w : way) : Prop :=
  forall rows : seq nat, all (fun i => i < N)%N rows -> exists xs : seq (seq Z),
  [/\ [seq overs s (get (Z.of_nat i)) | i <- rows] = map Some xs,
      all (fun x => (size x == d) && all (fun v => Z.leb (Z.abs v) (most w)) (leading (left_out w) x)) xs
    & block w (map Z.of_nat rows) = columns (slot w) d [seq leading (left_out w) x | x <- xs]].

Lemma rows_fromE i n : rows_from (Z.of_nat i) n = map Z.of_nat (iota i n).
Proof. by elim: n i => //= n IH i; rewrite -Nat2Z.inj_succ IH. Qed.

Lemma forms_of_dead l J fs h : forms_of l (Dead J) = Some fs ->
  (forall f, List.In f fs -> Z.le (zdot f.2 f.1 h) Z0) ->
  forall j, nth false J j -> nth Z0 (map zrelu (zaffine l h)) j = Z0.
Proof.
move=> [<-] off j jJ; have [j_l|l_j] := ltnP j (size l); last by rewrite nth_default // !size_map.
have offs : all (fun u => Z.leb (zdot u.2 u.1 h) Z0) (mask J l).
  by elim: (mask J l) off => //= u s IH off; apply/andP; split;
    [apply/Z.leb_spec0/off; left|apply: IH => f f_s; apply: off; right].
have /Z.leb_spec0 := all_mask ([::], Z0) offs jJ j_l.
rewrite (nth_map Z0) ?size_map // (nth_map ([::], Z0)) // /zrelu; lia.
Qed.

Lemma zdot_opp w c h : zdot c (map Z.opp w) h = Z.sub c (zdot Z0 w h).
Proof.
rewrite zdot_acc; suff -> : zdot Z0 (map Z.opp w) h = Z.opp (zdot Z0 w h) by [].
elim: w h => [|a w IH] [|b h] //; rewrite map_cons !zdot_cons zdot_acc IH [in RHS]zdot_acc; lia.
Qed.

Lemma both_sidesP us cs h : size cs = size us ->
  (forall f, List.In f (flatten [seq both_sides u.1 u.2 | u <- zip us cs]) -> Z.le (zdot f.2 f.1 h) Z0) ->
  zaffine us h = cs.
Proof.
elim: us cs => [|u us IH] [|c cs] //= [cs_n] off;
  congr cons; last by apply: IH cs_n _ => f f_in; apply: off; right; right.
have := off _ (or_introl erefl); have := off _ (or_intror (or_introl erefl)).
by rewrite /= zdot_opp (zdot_acc (Z.sub _ _)) (zdot_acc u.2); lia.
Qed.

Lemma in_iota n r : List.In r (iota 0 n) <-> (r < n)%N.
Proof.
rewrite -[(r < n)%N]/(0 <= r < 0 + n)%N -mem_iota; elim: (iota 0 n) => //= a s IH.
by rewrite in_cons eq_sym IH; split=> [[->|->]|/orP[/eqP|]]; rewrite ?eqxx ?orbT; auto.
Qed.

Lemma in_flatten (T : Type) (x : T) s ss : List.In x s -> List.In s ss -> List.In x (flatten ss).
Proof.
by move=> x_s; elim: ss => [//|t ss IH] /= [->|/IH x_in]; apply: List.in_or_app; [left|right].
Qed.

Lemma each_in (A B : Type) (f : A -> option B) s t a b : each f s = Some t ->
  List.In (a, b) (zip s t) -> List.In a s /\ f a = Some b.
Proof.
elim: s t => [|a' s IH] [|b' t] //=; case E: (f a') => [c|//]; case F: (each f s) => [u|//] [<- <-].
by case=> [[<- <-]|/(IH _ F) [a_s ?]]; split; auto.
Qed.

Section Correct.

Variable R : realFieldType.
Local Notation vlayer := (value_layer R).

Variables (d m : nat) (ls : seq (llayer number)) (out : llayer number).
Variables (N : nat) (get : Z -> seq number) (block : way -> seq Z -> seq Z).
Variables (parts : way -> nat -> seq nat) (s : scale) (es : seq scale) (ways : seq way).
Hypothesis reads : forall w, List.In w ways -> told s d N get block w.

Lemma one_by_oneP f i ns : one_by_one f (Z.of_nat i) ns -> forall j, (j < sumn ns)%N ->
  exists b n r, [/\ f (Z.of_nat b) n, (r < n)%N, (b + n <= i + sumn ns)%N & i + j = b + r]%N.
Proof.
elim: ns i => [//|n ns IH] i /=; case: ifP => // now; rewrite -Nat2Z.inj_add => later j.
have [j_n|n_j] := ltnP j n; first by exists i, n, j; split=> //; rewrite leq_add2l leq_addr.
move=> j_lt; have [|b [n' [r [? ? ? E]]]] := IH _ later (j - n)%N; first by rewrite ltn_subLR.
by exists b, n', r; split; rewrite // ?addnA // -(subnKC n_j) addnA.
Qed.

Lemma at_rowsP ws i n : at_rows block parts ws (Z.of_nat i) n -> forall j, (j < n)%N ->
  exists w p b n' r, [/\ List.In (w, p) ws,
    surely (slot w) (in_each (slot w) n') (layers p) (forms p) (block w (rows_from (Z.of_nat b) n')),
    (r < n')%N, (b + n' <= i + n)%N & i + j = b + r]%N.
Proof.
elim: ws i n => [//|[w p] ws IH] i n /=; case: eqP => // ns_n run j j_n.
have j_ns : (j < sumn (parts w n))%N by rewrite ns_n.
have {run j_n} [b [n' [r [+ r_n b_n E]]]] := one_by_oneP run j_ns; rewrite ns_n in b_n.
case: ifP => [sure _|_]; first by exists w, p, b, n', r; split=> //; left.
move=> /IH /(_ r r_n) [w' [p' [b' [m' [r' [? ? ? b_n' E']]]]]].
exists w', p', b', m', r'; split=> //; first by right.
  exact: leq_trans b_n' b_n.
by rewrite E E'.
Qed.

Theorem C2_check_blocks k cs c : check_blocks block parts s es ways d m ls out k cs N ->
  List.In c cs -> holds R d m ls out N get k c.
Proof.
rewrite /check_blocks; case: ifP => // /and4P[s_gt0 fit /eqP out_m k_ls].
case zsE: over_layers => [zs|//]; case fsE: each => [fss|//]; case psE: each => [ps|//] passed c_cs.
have [fs cE fs_in] := each_nth fsE c_cs.
pose off x := forall f, List.In f fs -> Z.le (zdot f.2 f.1 (zforward (take k zs) x)) Z0.
have at_i (i : 'I_N) : exists2 x, row_is R d get s i x & off x.
  have [w [q [b [n [r [w_q sure r_n b_N iE]]]]]] := at_rowsP (i := 0) passed (ltn_ord i).
  rewrite !add0n in b_N iE; have [w_in qE] := each_in psE w_q.
  have [|xs [xsE xs_d blockE]] := reads w_in (rows := iota b n).
    by apply/allP=> i'; rewrite mem_iota => /andP[_ lt]; apply: leq_trans lt b_N.
  have xs_n : size xs = n by rewrite -(size_map Some) -xsE size_map size_iota.
  pose x r := nth [::] xs r.
  have x_ok r' : (r' < n)%N -> overs s (get (Z.of_nat (b + r'))) = Some (x r').
    move=> r_n'; have := congr1 (fun t => nth None t r') xsE.
    by rewrite (nth_map 0%N) ?size_iota // nth_iota // (nth_map [::]) ?xs_n.
  have x_all r' : (r' < n)%N -> (size (x r') == d)
      && all (fun v => Z.leb (Z.abs v) (most w)) (leading (left_out w) (x r')).
    by move=> r_n'; have /(all_nthP [::])/(_ r') := xs_d; rewrite xs_n; apply.
  exists (x r).
    have /andP[/eqP x_d _] := x_all r r_n; split=> //.
    by rewrite iE /zrow (oversP R s_gt0 (x_ok r r_n)).
  move: qE; rewrite /ready; case: ifP => // /and3P[/Z.leb_spec0 c0 /Z.leb_spec0 A0 /Z.ltb_spec0 B1] qE f f_in.
  have e0 : Z.le Z0 (Z.ones (left_out w)) by rewrite ones_E //; have := Z.pow_pos_nonneg 2 (left_out w); lia.
  have f_all := in_flatten f_in fs_in.
  have xsE' : xs = map x (iota 0 n) by rewrite -[LHS](mkseq_nth [::]) xs_n.
  have stands : stand_for (iota 0 n) d (left_out w) (Z.ones (left_out w)) (most w)
      (fun r => leading (left_out w) (x r)) x.
    move=> r' /in_iota r_n'; have /andP[/eqP x_d small] := x_all r' r_n'.
    by split=> //; [rewrite size_map|apply: near_leading].
  have r_in : List.In r (iota 0 n) by apply/in_iota.
  have := surelyP B1 c0 e0 A0 qE stands _ r_in f_all; apply.
  by rewrite size_iota; move: sure; rewrite rows_fromE blockE xsE' -map_comp.
case: c c_cs cE => [J|J v|//] c_cs cE.
  apply: (dead_holds m s_gt0 fit k_ls zsE) => i; have [x xP x_off] := at_i i; exists x => //.
  exact: forms_of_dead cE x_off.
move: cE; rewrite /=; case: ifP => // /andP[/andP[/eqP J_n v0] /eqP v_n] [fs_v].
apply: (steady_holds m s_gt0 fit k_ls zsE J_n v0) => i; have [x xP x_off] := at_i i; exists x => //.
by rewrite /zaffine -map_mask; apply: both_sidesP v_n _; rewrite fs_v.
Qed.

End Correct.
