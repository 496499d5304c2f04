(******************************************************************************)
(* Checkers of audits, many rows at once: that units are dead, or have one    *)
(* positive value, at all rows. The rows come in blocks, a column of a block  *)
(* in the slots of one integer, to so many digits as a way says               *)
(* (check_packed.v). Where a way does not show it, the next is tried, of the  *)
(* units that it leaves over.                                                 *)
(*                                                                            *)
(* forms_of l c == affine forms of what enters layer l that are at most 0     *)
(*          where the claim c holds                                           *)
(* read_by d l == for each of d columns whether a unit of l reads it          *)
(* picked J x == the row x, with 0 in the columns that are not in J           *)
(* block w J rows == what is read for the way w: the packed columns of the    *)
(*          rows with these numbers, those that are not in J left out         *)
(* told s get block w == what the reader must do: these are the leading       *)
(*          digits of the picked rows of get over the scale s, and as small   *)
(*          as the way says                                                   *)
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

Definition picked (J : seq bool) (x : seq Z) : seq Z := [seq if a.1 then a.2 else Z0 | a <- zip J x].

Definition seen (u : seq Z * Z) (J : seq bool) : seq bool :=
  [seq ~~ Z.eqb a.1 Z0 || a.2 | a <- zip u.1 J].

Definition read_by (d : nat) (l : llayer Z) : seq bool := foldr seen (nseq d false) l.

Definition ready (d : nat) (zs : seq (llayer Z)) (fs : llayer Z) (w : way) : option prepared :=
  if [&& Z.leb Z0 (left_out w), Z.leb Z0 (most w) & Z.ltb Z0 (slot w)] then
    prepare (slot w) d (left_out w) (Z.ones (left_out w)) (most w) (hints w) (last_cut w) zs fs
  else None.

Definition form_of (p : prepared) (k : nat) := nth ([::], Z0) (forms p) k.

Fixpoint one_by_one (f : Z -> nat -> bool) (i : Z) (ns : seq nat) : bool :=
  if ns is n :: ns' then (if f i n then one_by_one f (Z.add i (Z.of_nat n)) ns' else false)
  else true.

Fixpoint rows_from (i : Z) (n : nat) : seq Z :=
  if n is n'.+1 then i :: rows_from (Z.succ i) n' else [::].

Section Blocks.

Variables (block : way -> seq bool -> seq Z -> seq Z) (parts : way -> nat -> seq nat).

Fixpoint at_rows (J : seq bool) (ws : seq (way * prepared)) (todo : seq nat) (i : Z) (n : nat) : bool :=
  if ws is (w, p) :: ws' then
    let B := slot w in
    let f i' n' :=
      let one := in_each B n' in
      let left_over :=
        if sent B one (layers p) (block w J (rows_from i' n')) is Some Y then
          [seq k <- todo | ~~ shown B one Y (form_of p k)]
        else todo in
      if left_over is [::] then true else at_rows J ws' left_over i' n' in
    if sumn (parts w n) == n then one_by_one f i (parts w n) else false
  else false.

Definition check_blocks (s : scale) (es : seq scale) (ways : seq way) (d m : nat)
    (ls : seq (llayer number)) (out : llayer number) (k : nat) (cs : seq claim) (N : nat) : bool :=
  if [&& proper s, linked d ls out, size out == m & (k < size ls)%N] then
    if over_layers s es (rcons ls out) is Some zs then
      if each (forms_of (nth [::] zs k)) cs is Some fss then
        if each (ready d (take k zs) (flatten fss)) ways is Some ps then
          at_rows (read_by d (head (flatten fss) (take k zs))) (zip ways ps) (iota 0 (size (flatten fss))) Z0 N
        else false
      else false
    else false
  else false.

End Blocks.

Definition told (s : scale) (d N : nat) (get : Z -> seq number)
    (block : way -> seq bool -> seq Z -> seq Z) (w : way) : Prop :=
  forall (J : seq bool) (rows : seq nat), size J = d -> all (fun i => i < N)%N rows ->
  exists xs : seq (seq Z), let short x := leading (left_out w) (picked J x) in
  [/\ [seq overs s (get (Z.of_nat i)) | i <- rows] = map Some xs,
      all (fun x => (size x == d) && all (fun v => Z.leb (Z.abs v) (most w)) (short x)) xs
    & block w J (map Z.of_nat rows) = columns (slot w) d (map short xs)].

Local Notation reads d := (all (fun u : seq Z * Z => size u.1 == d)).

Lemma size_read_by d l : reads d l -> size (read_by d l) = d.
Proof.
elim: l => [|u l IH] /=; first by rewrite size_nseq.
by case/andP=> /eqP u_d /IH l_d; rewrite size_map size_zip u_d l_d minnn.
Qed.

Definition covers (J : seq bool) (w : seq Z) := all (fun a => Z.eqb a.1 Z0 || a.2) (zip w J).

Lemma covers_read_by d l u : reads d l -> List.In u l -> covers (read_by d l) u.1.
Proof.
elim: l => //= v l IH /andP[/eqP v_d l_d].
have : size (read_by d l) = size v.1 by rewrite size_read_by.
rewrite /seen; move: (read_by d l) (IH l_d) => J {}IH J_v [<-|/IH].
  elim: v.1 J J_v {IH} => [|a w IH] [|j J] //= [J_w]; rewrite /covers /= -/(covers _ _) IH // andbT.
  by case: Z.eqb.
elim: v.1 u.1 J J_v {IH} => [|a w IH] [|b t] [|j J] //= [J_w]; rewrite /covers /= -!/(covers _ _).
by case/andP=> /orP[->|->] /IH -> //; rewrite ?orbT.
Qed.

Lemma zdot_picked J w b x : size J = size w -> covers J w -> zdot b w (picked J x) = zdot b w x.
Proof.
elim: w J b x => [|a w IH] [|j J] b [|y x] // [J_w] /andP[aj cov].
rewrite [picked _ _]/= -/(picked J x) !zdot_cons IH //; congr zdot.
by case: j aj => //=; rewrite orbF => /Z.eqb_spec ->; lia.
Qed.

Lemma zforward_picked d zs fs f x : reads d (head fs zs) -> List.In f fs ->
  zdot f.2 f.1 (zforward zs (picked (read_by d (head fs zs)) x)) = zdot f.2 f.1 (zforward zs x).
Proof.
have at_unit l u : reads d l -> List.In u l ->
    forall b, zdot b u.1 (picked (read_by d l) x) = zdot b u.1 x.
  move=> l_d u_l b; rewrite zdot_picked ?covers_read_by // size_read_by //.
  by have /eqP -> := all_in l_d u_l.
case: zs => [|l zs] /= ok f_in; first by rewrite at_unit.
rewrite /zforward /=; congr (zdot _ _ (foldl _ (map _ _) _)).
by apply: List.map_ext_in => u u_l; apply: at_unit.
Qed.

Lemma prepare_reads B d c e A hs q zs fs p : prepare B d c e A hs q zs fs = Some p -> reads d (head fs zs).
Proof.
by case: hs zs => [|h hs] [|l zs] //=; case: ifP => // /andP[_ fits] _;
  apply: sub_all fits => u /andP[].
Qed.

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
Variables (N : nat) (get : Z -> seq number) (block : way -> seq bool -> seq Z -> seq Z).
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

Lemma at_rowsP J ws todo i n : at_rows block parts J ws todo (Z.of_nat i) n ->
    forall j k, (j < n)%N -> k \in todo -> exists w p b n' r Y, let one := in_each (slot w) n' in
  [/\ List.In (w, p) ws, sent (slot w) one (layers p) (block w J (rows_from (Z.of_nat b) n')) = Some Y,
      shown (slot w) one Y (form_of p k), (r < n')%N & (b + n' <= i + n)%N /\ i + j = b + r]%N.
Proof.
elim: ws todo i n => [//|[w p] ws IH] todo i n /=; case: eqP => // ns_n run j k j_n k_todo.
have j_ns : (j < sumn (parts w n))%N by rewrite ns_n.
have {run j_n} [b [n' [r [+ r_n b_n E]]]] := one_by_oneP run j_ns; rewrite ns_n in b_n.
set rest := if sent _ _ _ _ is Some Y then _ else _.
have [k_rest|] := boolP (k \in rest).
  case: rest k_rest => // k0 ks k_rest /IH /(_ r k r_n k_rest).
  move=> [w' [p' [b' [m' [r' [Y [? ? ? ? [b_n' E']]]]]]]]; exists w', p', b', m', r', Y.
  by split=> //; [right|split; [apply: leq_trans b_n' b_n|rewrite E E']].
rewrite /rest; case Y_: sent => [Y|]; last by rewrite k_todo.
by rewrite mem_filter k_todo andbT negbK => Y_k _; exists w, p, b, n', r, Y; split=> //; left.
Qed.

Lemma prepare_one B c e A hs q zs fs p0 k d' : prepare B d' c e A hs q zs fs = Some p0 -> (k < size fs)%N ->
  prepare B d' c e A hs q zs [:: nth ([::], Z0) fs k] = Some (Prepared (layers p0) [:: form_of p0 k]).
Proof.
elim: zs d' c e A hs p0 => [|l zs IH] d' c e A [|h hs] p0 //=; case: ifP => // ok.
  case/andP: ok => q0 /(all_nthP ([::], Z0)) fits [<-] k_fs.
  by rewrite q0 fits //= /form_of (nth_map ([::], Z0)).
by case F: prepare => [p1|//] [<-] k_fs; rewrite (IH _ _ _ _ _ _ F k_fs).
Qed.

Lemma in_nth (T : Type) (x0 x : T) t : List.In x t -> exists2 k, (k < size t)%N & nth x0 t k = x.
Proof. by elim: t => [//|y t IH] /= [->|/IH [k k_t <-]]; [exists 0%N|exists k.+1]. Qed.

Theorem C2_check_blocks k cs c : check_blocks block parts s es ways d m ls out k cs N ->
  List.In c cs -> holds R d m ls out N get k c.
Proof.
rewrite /check_blocks; case: ifP => // /and4P[s_gt0 fit /eqP out_m k_ls].
case zsE: over_layers => [zs|//]; case fsE: each => [fss|//]; case psE: each => [ps|//] passed c_cs.
have [fs cE fs_in] := each_nth fsE c_cs.
pose off x := forall f, List.In f fs -> Z.le (zdot f.2 f.1 (zforward (take k zs) x)) Z0.
have [[w0 p0] w0_in] : exists w, List.In w (zip ways ps).
  by move: passed; case: (zip ways ps) => [//|w ws] _; exists w; left.
pose J := read_by d (head (flatten fss) (take k zs)).
have ready_in w q : List.In (w, q) (zip ways ps) -> [/\ List.In w ways, Z.le Z0 (left_out w),
    Z.le Z0 (most w), Z.lt Z0 (slot w) & prepare (slot w) d (left_out w) (Z.ones (left_out w))
      (most w) (hints w) (last_cut w) (take k zs) (flatten fss) = Some q].
  move=> /(each_in psE)[w_in]; rewrite /ready.
  by case: ifP => // /and3P[/Z.leb_spec0 ? /Z.leb_spec0 ? /Z.ltb_spec0 ?].
have [w0_ways _ _ _ q0E] := ready_in _ _ w0_in.
have J_d : size J = d := size_read_by (prepare_reads q0E).
have first_d := prepare_reads q0E.
have at_i (i : 'I_N) : exists2 x, row_is R d get s i x & off x.
  have [|xs1 [xs1E xs1_d _]] := reads w0_ways (rows := [:: val i]) J_d; first by rewrite /= ltn_ord.
  case: xs1 xs1E xs1_d => [|x []] //= [xE] /andP[/andP[/eqP x_d _] _].
  exists x; first by split; rewrite // /zrow (oversP R s_gt0 xE).
  move=> f f_in; have f_all := in_flatten f_in fs_in.
  have [k' k'_fs fE] := in_nth ([::], Z0) f_all.
  have [|w [q [b [n [r [Y [w_q Y_ sure r_n [b_N iE]]]]]]]] := at_rowsP (i := 0) passed (ltn_ord i) (k := k').
    by rewrite mem_iota.
  rewrite !add0n in b_N iE; have [w_in c0 A0 B1 qE] := ready_in _ _ w_q.
  have [|xs [xsE xs_d blockE]] := reads w_in (rows := iota b n) J_d.
    by apply/allP=> i'; rewrite mem_iota => /andP[_ lt]; apply: leq_trans lt b_N.
  have xs_n : size xs = n by rewrite -(size_map Some) -xsE size_map size_iota.
  pose y r := nth [::] xs r.
  have yE : y r = x.
    have := congr1 (fun t => nth None t r) xsE.
    by rewrite (nth_map 0%N) ?size_iota // nth_iota // (nth_map [::]) ?xs_n // -iE xE => -[].
  have y_all r' : (r' < n)%N -> (size (y r') == d)
      && all (fun v => Z.leb (Z.abs v) (most w)) (leading (left_out w) (picked J (y r'))).
    by move=> r_n'; have /(all_nthP [::])/(_ r') := xs_d; rewrite xs_n; apply.
  have e0 : Z.le Z0 (Z.ones (left_out w)) by rewrite ones_E //; have := Z.pow_pos_nonneg 2 (left_out w); lia.
  have xsE' : xs = map y (iota 0 n) by rewrite -[LHS](mkseq_nth [::]) xs_n.
  have stands : stand_for (iota 0 n) d (left_out w) (Z.ones (left_out w)) (most w)
      (fun r => leading (left_out w) (picked J (y r))) (fun r => picked J (y r)).
    move=> r' /in_iota r_n'; have /andP[/eqP y_d small] := y_all r' r_n'.
    split=> //; last by apply: near_leading.
    by rewrite !size_map size_zip y_d J_d minnn.
  have r_in : List.In r (iota 0 n) by apply/in_iota.
  rewrite -(zforward_picked _ first_d f_all) -/J -yE.
  have := surelyP B1 c0 e0 A0 (prepare_one qE k'_fs) stands _ r_in (f := f); apply; last by left.
  rewrite /surely size_iota /=; move: Y_; rewrite rows_fromE blockE xsE' -map_comp => ->.
  by rewrite /= sure.
case: c c_cs cE => [I|I v|//] c_cs cE.
  apply: (dead_holds m s_gt0 fit k_ls zsE) => i; have [x xP x_off] := at_i i; exists x => //.
  exact: forms_of_dead cE x_off.
move: cE; rewrite /=; case: ifP => // /andP[/andP[/eqP I_n v0] /eqP v_n] [fs_v].
apply: (steady_holds m s_gt0 fit k_ls zsE I_n v0) => i; have [x xP x_off] := at_i i; exists x => //.
by rewrite /zaffine -map_mask; apply: both_sidesP v_n _; rewrite fs_v.
Qed.

End Correct.
