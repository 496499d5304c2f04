(******************************************************************************)
(* The noise floor of the rows of an audit. Rows are visited in the order of  *)
(* their inputs, so that equal ones come together, and rows of one input in   *)
(* the order of their numbers: then no row comes twice, and none is left out. *)
(*                                                                            *)
(*      zlex x y == how two lists compare, by the first entry that differs    *)
(*      zsq a y == a + |y|^2                                                  *)
(* part D c S == D |S|^2 / c, if c divides D                                  *)
(* noise f order N D j n x i c S acc == acc + D |y|^2 for the n rows f i that *)
(*             have the numbers order j and so on, less the parts of their    *)
(*             groups; i is the row before, in a group of the input x with c  *)
(*             rows so far, whose targets sum up to S                         *)
(* check_noise == the noise floor is between two numbers; the scales, the     *)
(*             order and D are hints                                          *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ ring.
From absence Require Import net compute check_nets check_deep c2_deep check_chains check_integers
  check_rough check_audits check_audit_losses.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Fixpoint zlex (x y : seq Z) : comparison :=
  match x, y with
  | [::], [::] => Eq
  | [::], _ => Lt
  | _, [::] => Gt
  | a :: x', b :: y' =>
    match Z.compare a b with Eq => zlex x' y' | Lt => Lt | Gt => Gt end
  end.

Fixpoint zsq (acc : Z) (y : seq Z) : Z :=
  if y is a :: y' then zsq (Z.add acc (Z.mul a a)) y' else acc.

Fixpoint zadd (x y : seq Z) : seq Z :=
  match x, y with
  | a :: x', b :: y' => Z.add a b :: zadd x' y'
  | _, _ => [::]
  end.

Definition part (D c : Z) (S : seq Z) : option Z :=
  let q := Z.div D c in
  if Z.eqb (Z.mul q c) D then Some (Z.mul q (zsq Z0 S)) else None.

Definition pair_at (d m : nat) (s r : scale) (get targets : Z -> seq number) (i : Z) :
    option (seq Z * seq Z) :=
  match overs s (get i), overs r (targets i) with
  | Some x, Some y => if (size x == d) && (size y == m) then Some (x, y) else None
  | _, _ => None
  end.

Section Walk.

Variables (f : Z -> option (seq Z * seq Z)) (order : Z -> Z) (N D : Z).

Definition row_of (i : Z) : option (seq Z * seq Z) :=
  if Z.leb Z0 i && Z.ltb i N then f i else None.

Fixpoint noise (j : Z) (n : nat) (x : seq Z) (i c : Z) (S : seq Z) (acc : Z) : option Z :=
  if n is n'.+1 then
    let k := order j in
    if row_of k is Some (z, y) then
      let more := Z.add acc (Z.mul D (zsq Z0 y)) in
      match zlex x z with
      | Lt =>
        if part D c S is Some p then noise (Z.succ j) n' z k (Zpos 1) y (Z.sub more p) else None
      | Eq =>
        if Z.ltb i k then noise (Z.succ j) n' z k (Z.succ c) (zadd S y) more else None
      | Gt => None
      end
    else None
  else if part D c S is Some p then Some (Z.sub acc p) else None.

Definition total_noise (n : nat) : option Z :=
  if n is n'.+1 then
    let k := order Z0 in
    if row_of k is Some (x, y) then
      noise (Zpos 1) n' x k (Zpos 1) y (Z.mul D (zsq Z0 y))
    else None
  else None.

End Walk.

Definition check_noise (s r : scale) (d m N : nat) (D : Z) (order : Z -> Z)
    (get targets : Z -> seq number) (low high : number) : bool :=
  if [&& proper s, proper r & Z.ltb Z0 D] then
    if total_noise (pair_at d m s r get targets) order (Z.of_nat N) D N is Some t then
      let floor := Number t (Z.add (power r) (power r))
        (Z.mul (Z.mul D (Z.of_nat N)) (Z.mul (under r) (under r))) in
      at_most low floor && at_most floor high
    else false
  else false.

(* The order                                                                  *)

Lemma zlex_eq x y : zlex x y = Eq -> x = y.
Proof.
elim: x y => [|a x IH] [|b y] //=; case: Z.compare_spec => // -> /IH -> //.
Qed.

Lemma zlex_refl x : zlex x x = Eq.
Proof. by elim: x => //= a x IH; rewrite Z.compare_refl. Qed.

Lemma zlex_trans x y z : zlex x y = Lt -> zlex y z = Lt -> zlex x z = Lt.
Proof.
elim: x y z => [|a x IH] [|b y] [|c z] //=.
case: (Z.compare_spec a b) => [ab|ab|//]; case: (Z.compare_spec b c) => [bc|bc|//].
- by rewrite ab bc Z.compare_refl; apply: IH.
- by move=> _ _; rewrite ab; have -> : Z.compare b c = Lt by apply/Z.compare_lt_iff.
- by move=> _ _; rewrite -bc; have -> : Z.compare a b = Lt by apply/Z.compare_lt_iff.
- by move=> _ _; have -> : Z.compare a c = Lt by apply/Z.compare_lt_iff; lia.
Qed.

Definition before (p q : seq Z * Z) : bool :=
  match zlex p.1 q.1 with Lt => true | Eq => Z.ltb p.2 q.2 | Gt => false end.

Lemma before_trans : transitive before.
Proof.
move=> [y j] [x i] [z k]; rewrite /before /=.
case xy: (zlex x y) => //; case yz: (zlex y z) => // ij jk.
- rewrite (zlex_eq xy) yz; apply/Z.ltb_spec0.
  by move/Z.ltb_spec0: ij; move/Z.ltb_spec0: jk; lia.
- by rewrite (zlex_eq xy) yz.
- by rewrite -(zlex_eq yz) xy.
- by rewrite (zlex_trans xy yz).
Qed.

Lemma before_irr : irreflexive before.
Proof. by move=> [x i]; rewrite /before /= zlex_refl; apply/Z.ltb_spec0; lia. Qed.

Lemma before_min x i ps : path before (x, i) ps -> forall p, p \in ps -> before (x, i) p.
Proof. by move/(order_path_min before_trans)/allP. Qed.

Lemma size_zadd m x y : size x = m -> size y = m -> size (zadd x y) = m.
Proof. by elim: x y m => [|a x IH] [|b y] [|m] //= [x_m] [y_m]; rewrite (IH _ m). Qed.

Local Open Scope ring_scope.

Section Walked.

Variables (R : realFieldType) (d m N : nat) (s r : scale) (get targets : Z -> seq number).
Variables (order : Z -> Z) (D : Z).
Hypothesis s_gt0 : proper s.
Local Notation zr := (zr R).

Let f := pair_at d m s r get targets.
Let good k := row_of f (Z.of_nat N) k : bool.

Definition input_at (k : Z) : seq Z := if f k is Some p then p.1 else [::].
Definition target_at (k : Z) : seq Z := if f k is Some p then p.2 else [::].

Fixpoint numbers (j : Z) (n : nat) : seq Z :=
  if n is n'.+1 then order j :: numbers (Z.succ j) n' else [::].

Let g (x : seq Z) : 'rV[R]_d := rvec d (multiple R s x).
Let V (y : seq Z) : 'rV[R]_m := rvec m (map zr y).
Let X k := g (input_at k).
Let Y k := V (target_at k).

Lemma goodP k x y : row_of f (Z.of_nat N) k = Some (x, y) ->
  [/\ input_at k = x, target_at k = y, size x = d, size y = m
    & Z.le Z0 k /\ Z.lt k (Z.of_nat N)].
Proof.
rewrite /row_of; case: ifP => // /andP[/Z.leb_spec0 k0 /Z.ltb_spec0 k_N] fk.
rewrite /input_at /target_at fk; move: fk; rewrite /f /pair_at.
case: (overs s _) => [x'|//]; case: (overs r _) => [y'|//].
by case: ifP => // /andP[/eqP x'_d /eqP y'_m] [<- <-].
Qed.

Lemma g_inj x y : size x = d -> size y = d -> (g x == g y) = (x == y).
Proof.
move=> x_d y_d; apply/eqP/eqP => [|-> //] /(congr1 (@row R d)).
by rewrite !row_rvec ?size_map //; apply: multiple_inj.
Qed.

Lemma VE y (o : 'I_m) : V y 0 o = zr (nth Z0 y o).
Proof.
rewrite mxE; have [o_y|y_o] := ltnP o (size y); first by rewrite (nth_map Z0).
by rewrite !nth_default ?size_map // zr0.
Qed.

Lemma V_add x y : size x = size y -> V (zadd x y) = V x + V y.
Proof.
move=> x_y; apply/rowP=> o; rewrite [RHS]mxE !VE -zrD; congr zr.
elim: x y x_y (o : nat) => [|a x IH] [|b y] //=; first by move=> _ i; rewrite !nth_nil.
by move=> [x_y] [|i] //=; apply: IH.
Qed.

Lemma zsqE acc y n : size y = n -> zr (zsq acc y) = zr acc + \sum_(i < n) zr (nth Z0 y i) ^+ 2.
Proof.
elim: y n acc => [|a y IH] n acc <- /=; first by rewrite big_ord0 addr0.
by rewrite (IH (size y)) // big_ord_recl zrD zrM -addrA -expr2.
Qed.

Lemma normsqV y : size y = m -> normsq (V y) = zr (zsq Z0 y).
Proof.
by move=> y_m; rewrite (zsqE _ y_m) zr0 add0r; apply: eq_bigr => o _; rewrite VE.
Qed.

Lemma partP c S p : Z.lt Z0 c -> size S = m -> part D c S = Some p ->
  zr p = zr D * (normsq (V S) / zr c).
Proof.
rewrite /part => c0 S_m; case: Z.eqb_spec => // cE [<-].
have c_neq0 : zr c != 0 by apply: zr_neq0; apply/Z.ltb_spec0.
have DE := congr1 zr cE; rewrite zrM in DE.
by rewrite -DE zrM normsqV // -mulrA [zr c * _]mulrC divfK.
Qed.

(* D times the parts of the groups of the rows ks, and of c more of input x.  *)
Definition parts (x : seq Z) (c : Z) (S : seq Z) (ks : seq Z) : R :=
  \sum_(u <- undup (g x :: map X ks))
    normsq ((if g x == u then V S else 0) + \sum_(k <- ks | X k == u) Y k)
    / ((if g x == u then zr c else 0) + \sum_(k <- ks | X k == u) 1).

Lemma noiseP j n x i c S acc t : Z.lt Z0 c -> size x = d -> size S = m ->
    noise f order (Z.of_nat N) D j n x i c S acc = Some t ->
  let ks := numbers j n in
  [/\ path before (x, i) [seq (input_at k, k) | k <- ks], all good ks
    & zr t = zr acc + zr D * (\sum_(k <- ks) normsq (Y k)) - zr D * parts x c S ks].
Proof.
elim: n j x i c S acc => [|n IH] j x i c S acc c0 x_d S_m /=.
  case pE: part => [p|//] [<-]; split=> //.
  rewrite /parts /= big_seq1 eqxx !big_nil !addr0 mulr0 addr0.
  by rewrite -[Z.sub _ _]/(Z.add _ (Z.opp _)) zrD zrN (partP c0 S_m pE).
case kE: row_of => [[z y]|//]; have [in_k out_k z_d y_m range] := goodP kE.
have Xk : X (order j) = g z by rewrite /X in_k.
have Yk : Y (order j) = V y by rewrite /Y out_k.
have sqE : zr (Z.mul D (zsq Z0 y)) = zr D * normsq (Y (order j)) by rewrite zrM Yk normsqV.
case xz: zlex => //.
  have xE := zlex_eq xz; case: Z.ltb_spec => // ik run.
  have c'0 : Z.lt Z0 (Z.succ c) by lia.
  have [in_order all_good ->] := IH _ _ _ _ _ _ c'0 z_d (size_zadd S_m y_m) run.
  split; rewrite ?in_k -?xE.
  - by rewrite -xE in in_order; rewrite in_order andbT /before /= zlex_refl; apply/Z.ltb_spec0.
  - by rewrite /good kE.
  rewrite big_cons zrD sqE mulrDr addrA; congr (_ - _ * _).
  rewrite /parts /= Xk -xE inE eqxx /=; apply: eq_bigr => u _; rewrite !big_cons Xk -xE Yk.
  case: eqP => _ //; rewrite V_add ?S_m ?y_m // -[Z.succ c]/(Z.add c (Zpos 1)) zrD.
  by rewrite -addrA -[in LHS]addrA.
case pE: part => [p|//] run.
have [in_order all_good ->] := IH _ _ _ _ _ _ (Pos2Z.is_pos 1) z_d y_m run.
have after k : k \in numbers (Z.succ j) n -> zlex x (input_at k) = Lt.
  move=> k_ks; have := before_min in_order (map_f (fun k => (input_at k, k)) k_ks).
  rewrite /before /=; case zk: zlex => // _; first by rewrite -(zlex_eq zk).
  exact: zlex_trans xz zk.
have apart k : k \in numbers (Z.succ j) n -> (X k == g x) = false.
  move=> k_ks; have /allP/(_ k k_ks) := all_good; rewrite /good.
  case kkE: row_of => [[z' y']|//] _; have [in_k' _ z'_d _ _] := goodP kkE.
  have := after k k_ks; rewrite /X in_k' g_inj //; case: eqP => // ->.
  by rewrite zlex_refl.
split.
- by rewrite in_k in_order andbT /before /= xz.
- by rewrite /good kE.
rewrite big_cons; set rest := parts z _ _ _.
have -> : parts x c S (order j :: numbers (Z.succ j) n) = normsq (V S) / zr c + rest.
  have x_z : (g x == g z) = false by rewrite g_inj //; case: eqP xz => // ->; rewrite zlex_refl.
  have x_out : g x \notin g z :: map X (numbers (Z.succ j) n).
    by rewrite inE x_z /=; apply/mapP => -[k k_ks /eqP]; rewrite eq_sym apart.
  rewrite /parts map_cons Xk.
  have -> : undup [:: g x, g z & map X (numbers (Z.succ j) n)]
      = g x :: undup (g z :: map X (numbers (Z.succ j) n)) by rewrite /= in x_out *; rewrite (negbTE x_out).
  rewrite big_cons; congr (_ + _).
    rewrite eqxx !big_cons Xk eq_sym x_z.
    have none (V' : zmodType) (F : Z -> V') : \sum_(k <- numbers (Z.succ j) n | X k == g x) F k = 0.
      by rewrite big_seq_cond big_pred0 // => k; case: (boolP (k \in _)) => //= /apart.
    by rewrite !none !addr0.
  apply: eq_big_seq => u; rewrite mem_undup => u_in.
  have x_u : (g x == u) = false by apply: contraNF x_out => /eqP ->.
  by rewrite x_u !add0r !big_cons Xk Yk; case: eqP => _; rewrite ?add0r.
rewrite -[Z.sub _ _]/(Z.add _ (Z.opp _)) !zrD zrN sqE (partP c0 S_m pE).
by rewrite !mulrDr opprD !addrA; congr (_ - _); rewrite addrAC; congr (_ - _); rewrite addrAC.
Qed.

Lemma size_numbers j n : size (numbers j n) = n.
Proof. by elim: n j => //= n IH j; rewrite IH. Qed.

Lemma big_numbers (V' : zmodType) (P : pred Z) (F : Z -> V') ks :
  perm_eq ks (map Z.of_nat (iota 0 N)) ->
  \sum_(k <- ks | P k) F k = \sum_(i < N | P (Z.of_nat i)) F (Z.of_nat i).
Proof.
move=> same; rewrite (perm_big _ same) big_map -[in LHS](subn0 N) -/(index_iota 0 N).
by rewrite (big_mkord (fun i => P (Z.of_nat i)) (fun i => F (Z.of_nat i))).
Qed.

Lemma total_noiseP t : total_noise f order (Z.of_nat N) D N = Some t ->
  exists ks, [/\ perm_eq ks (map Z.of_nat (iota 0 N)), all good ks
    & zr t = zr D * (\sum_(k <- ks) normsq (Y k)) - zr D * \sum_(u <- undup (map X ks))
        normsq (\sum_(k <- ks | X k == u) Y k) / \sum_(k <- ks | X k == u) 1].
Proof.
have [n0 n0E] : exists n0, n0 = N by exists N.
rewrite -[X in total_noise _ _ _ _ X]n0E; case: n0 n0E => [//|n] N_E /=.
case kE: row_of => [[x y]|//] run; have [in_k out_k x_d y_m range] := goodP kE.
have [in_order all_good tE] := noiseP (Pos2Z.is_pos 1) x_d y_m run.
exists (order Z0 :: numbers (Zpos 1) n).
have all_ks : all good (order Z0 :: numbers (Zpos 1) n) by rewrite /= all_good /good kE.
split=> //.
  have ks_uniq : uniq (order Z0 :: numbers (Zpos 1) n).
    apply: (@map_uniq _ _ (fun k => (input_at k, k))).
    by apply: (sorted_uniq before_trans before_irr); rewrite /= in_k.
  have sub : {subset order Z0 :: numbers (Zpos 1) n <= map Z.of_nat (iota 0 N)}.
    move=> k /(allP all_ks); rewrite /good; case kkE: row_of => [[x' y']|//] _.
    have [_ _ _ _ [k0 k_N]] := goodP kkE; apply/mapP; exists (Z.to_nat k); last by rewrite Z2Nat.id.
    by rewrite mem_iota /= add0n; apply/ssrnat.ltP; lia.
  have few : (size (map Z.of_nat (iota 0 N)) <= size (order Z0 :: numbers (Zpos 1) n))%N.
    by rewrite size_map size_iota /= size_numbers -N_E.
  have [_ same] := uniq_min_size ks_uniq sub few.
  by apply: uniq_perm => //; rewrite map_inj_uniq ?iota_uniq //; apply: Nat2Z.inj.
rewrite tE big_cons mulrDr zrM -normsqV // /Y out_k; congr (_ - _ * _).
rewrite /parts map_cons /X in_k; apply: eq_bigr => u _; rewrite !big_cons in_k out_k.
by case: eqP => _; rewrite ?add0r.
Qed.

End Walked.

Section Correct.

Variables (R : realFieldType) (d m N : nat) (get targets : Z -> seq number).
Local Notation zr := (zr R).

Theorem C5_check_noise s r D order low high :
    check_noise s r d m N D order get targets low high ->
  value R low <= floor (inputs R d get) (@wanted R m N targets) <= value R high.
Proof.
rewrite /check_noise; case: ifP => // /and3P[s_gt0 r_gt0 D_gt0].
case tE: total_noise => [t|//] /andP[/(at_mostP R) le_low /(at_mostP R) le_high].
suff <- : value R (Number t (Z.add (power r) (power r))
    (Z.mul (Z.mul D (Z.of_nat N)) (Z.mul (under r) (under r))))
    = floor (inputs R d get) (@wanted R m N targets) by rewrite le_low le_high.
have [ks [same all_good tot]] := total_noiseP R s_gt0 tE.
rewrite /value /= tot {le_low le_high tE tot t}.
pose X (i : 'I_N) := inputs R d get i; pose y := @wanted R m N targets.
pose Y (i : 'I_N) : 'rV[R]_m := rvec m (map zr (target_at d m s r get targets (Z.of_nat i))).
have in_ks (i : 'I_N) : Z.of_nat i \in ks.
  by rewrite (perm_mem same) map_f // mem_iota /= add0n ltn_ord.
have row_i (i : 'I_N) : rvec d (multiple R s (input_at d m s r get targets (Z.of_nat i))) = X i
    /\ y i = size_of R r *: Y i.
  have := allP all_good _ (in_ks i); rewrite /row_of; case: ifP => // _.
  rewrite /Y /input_at /target_at /pair_at /X /y /inputs /wanted /zrow.
  case xE: overs => [x|//]; case yE: overs => [w|//]; case: ifP => // _ _ /=.
  rewrite (oversP R s_gt0 xE) (oversP R r_gt0 yE); split=> //; apply/rowP=> o; rewrite !mxE.
  have [lt|ge] := ltnP o (size w); first by rewrite !(nth_map Z0).
  by rewrite !nth_default ?size_map // mulr0.
pose G u := normsq (\sum_(i < N | X i == u) Y i) / \sum_(i < N | X i == u) 1.
have -> : \sum_(k <- ks) normsq (rvec m (map zr (target_at d m s r get targets k)) : 'rV[R]_m)
    = \sum_(i < N) normsq (Y i) by rewrite (big_numbers _ _ same).
have -> : \sum_(u <- undup [seq rvec d (multiple R s (input_at d m s r get targets k)) | k <- ks])
    normsq (\sum_(k <- ks | rvec d (multiple R s (input_at d m s r get targets k)) == u)
              (rvec m (map zr (target_at d m s r get targets k)) : 'rV[R]_m))
      / (\sum_(k <- ks | rvec d (multiple R s (input_at d m s r get targets k)) == u) 1)
  = \sum_(u <- undup (map X (enum 'I_N))) G u.
  rewrite (perm_big (undup (map X (enum 'I_N)))); last first.
    apply: perm_undup => u; apply/mapP/mapP => [[k]|[i _ ->]].
      rewrite (perm_mem same) => /mapP[j]; rewrite mem_iota /= add0n => j_N -> ->.
      by exists (Ordinal j_N); rewrite ?mem_enum //; have [] := row_i (Ordinal j_N).
    by exists (Z.of_nat i); [exact: in_ks|have [] := row_i i].
  apply: eq_bigr => u _; rewrite !(big_numbers _ _ same) /G.
  by congr (normsq _ / _); apply: eq_bigl => i; have [-> _] := row_i i.
have := mse_floor_distinct (inputs R d get) y (fun=> 0).
rewrite -/X => /esym/(canRL (addrK _)) ->.
have -> : mse X y (fun=> 0) = N%:R^-1 * (size_of R r ^+ 2 * \sum_(i < N) normsq (Y i)).
  rewrite /mse; congr (_ * _); rewrite mulr_sumr; apply: eq_bigr => i _.
  by rewrite sub0r normsqN; have [_ ->] := row_i i; rewrite normsqZ.
have -> : \sum_(u <- undup (map X (enum 'I_N))) (nu X u)%:R * normsq (gres X y (fun=> 0) u)
    = size_of R r ^+ 2 * \sum_(u <- undup (map X (enum 'I_N))) G u.
  rewrite mulr_sumr; apply: eq_bigr => u _; rewrite /gres subr0 /gmean normsqZ /G.
  have -> : gsum X y u = size_of R r *: \sum_(i < N | X i == u) Y i.
    by rewrite /gsum scaler_sumr; apply: eq_bigr => i _; have [_ ->] := row_i i.
  rewrite sumr_const -/(nu X u) normsqZ; set n := (_ %:R).
  have [->|n0] := eqVneq n 0; first by rewrite invr0 !mul0r !mulr0.
  move: (normsq _) (size_of R r ^+ 2) => a q.
  have -> : n * (n^-1 ^+ 2 * (q * a)) = n / n * (n^-1 * (q * a)) by ring.
  by rewrite divff // mul1r; ring.
rewrite !zrM zr_nat twoD /size_of !invfM.
move: (\sum_(i < N) _) (\sum_(u <- _) _) => a b.
have := zr_neq0 R D_gt0; move: (two _ _) (zr (under r))^-1 N%:R^-1 (zr D) => e q n D' D0.
set lhs := LHS; have -> : lhs = D' / D' * (n * ((e * q) ^+ 2 * a) - n * ((e * q) ^+ 2 * b)).
  by rewrite /lhs; move: D'^-1 => f; ring.
by rewrite divff // mul1r.
Qed.

End Correct.
