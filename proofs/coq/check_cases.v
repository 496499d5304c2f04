(******************************************************************************)
(* What is so on a box, shown by a tree of cases: by halves of the box and by *)
(* signs of units, down to parts where all is affine, that are empty, or that *)
(* have no interior.                                                          *)
(*                                                                            *)
(*  cases == a tree: Bounded, one more bound of unit j of hidden layer k is   *)
(*           proved; Halved, the box is cut; Signed, by the sign of a unit;   *)
(*           Flat, Empty and Thin end it. What is below is asked for as late  *)
(*           as it is needed                                                  *)
(* target == a form of the k-th hidden layer, and a value                     *)
(*  closed net ts box known t == the tree t shows, on the part of the box     *)
(*           that is known, that the targets ts have their values             *)
(*   closedP == so it is there, but where some form is 0 that is no constant  *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ ring.
From absence Require Import net compute check_nets check_deep c2_deep check_chains check_integers
  check_forms check_relaxed check_exact check_dense.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Inductive cases :=
  | Bounded (k j : nat) (lo hi : option Q) (s : Q) (ds : seq (seq dual))
      (next : bool -> cases)
  | Halved (i : nat) (a : Q) (half : bool -> cases)
  | Signed (k j : nat) (side : bool -> cases)
  | Flat
  | Empty (k j : nat)
  | Thin (ms : seq (nat * nat * Q)).

(* A form of hidden layer number k - 1, or of the inputs, and its value.      *)
Definition target := (nat * form * Q)%type.

Fixpoint pick (T : Type) (j : nat) (s : seq T) : option T :=
  match s, j with
  | a :: _, O => Some a
  | _ :: s', j'.+1 => pick j' s'
  | [::], _ => None
  end.

Definition about_unit (known : seq (seq about)) k j := nth unknown (nth [::] known k) j.

Definition revised (known : seq (seq about)) k j (f : about -> about) :=
  set_nth [::] known k (set_nth unknown (nth [::] known k) j (f (about_unit known k j))).

Definition noted (lo hi : option Q) (s : Q) (u : about) :=
  About (sign u) (if lo is Some _ then lo else low u) (if hi is Some _ then hi else high u) s.

Definition with_sign (s : bool) (u : about) := About (Some s) (low u) (high u) (slope u).

Definition qless (a b : Q) := ~~ Qle_bool b a.

(* Bounds that contradict the sign, or each other.                            *)
Definition contradicts (u : about) :=
  [|| (if sign u is Some true then holds_of (fun q => qless q Q0) (high u) else false),
      (if sign u is Some false then holds_of (fun q => qless Q0 q) (low u) else false)
    | holds_of (fun l => holds_of (fun h => qless h l) (high u)) (low u)].

Section Net.

Variables (net : seq zlayer) (ts : seq target).

Definition unit_of k j := pick j (nth zlayer0 net k).2.

(* The stated bound of the pre-activation, from above or from below.          *)
Definition shown box known k ds wb (up : bool) (stated : option Q) :=
  if stated is Some q then
    let f := pre_form (nth zlayer0 net k).1 (if up then Zpos 1 else Zneg 1) wb in
    if above box net known k ds f is Some p then Qle_bool p (if up then q else Qopp q) else false
  else true.

Definition sends_value box known (t : target) :=
  if exact box net known t.1.1 t.1.2 is Some g then flat g && Qeq_bool (rest g) t.2 else false.

Definition known_sign (u : about) := if sign u is Some s then Some s else on_off u.

Definition plus_form (q : Q) (f t : form) :=
  let a := Pos.mul (denom f) (Qden q) in
  let D := common a (denom t) in
  Form (axpy (Z.mul (Qnum q) (Z.div (Zpos D) (Zpos a))) (coefs f)
         (map (Z.mul (Z.div (Zpos D) (Zpos (denom t)))) (coefs t)))
    D (qadd (Qmult q (rest f)) (rest t)).

(* The combination of sign conditions, and the forms in it.                   *)
Fixpoint gathered box known (ms : seq (nat * nat * Q)) : option (form * seq form) :=
  if ms is (k, j, q) :: ms' then
    if lpos q then
      if unit_of k j is Some wb then
        if known_sign (about_unit known k j) is Some s then
          if exact box net known k (pre_form (nth zlayer0 net k).1 (Zpos 1) wb) is Some f then
            if gathered box known ms' is Some (t, fs) then
              Some (plus_form (if s then q else Qopp q) f t, f :: fs)
            else None
          else None
        else None
      else None
    else None
  else Some (Form [::] 1 Q0, [::]).

Definition thin box known ms :=
  if gathered box known ms is Some (t, fs) then
    let most := largest t box in
    if qless most Q0 then true else
    Qle_bool most Q0
      && has (fun f => ~~ all (Z.eqb Z0) (take (size box) (coefs f))) fs
  else false.

Fixpoint closed (box : seq range) (known : seq (seq about)) (t : cases) : bool :=
  match t with
  | Bounded k j lo hi s ds next =>
    if unit_of k j is Some wb then
      if [&& is_share s, shown box known k ds wb true hi & shown box known k ds wb false lo] then
        closed box (revised known k j (noted lo hi s)) (next true)
      else false
    else false
  | Halved i a half =>
    let r := nth range0 box i in
    if [&& (i < size box)%N, qless r.1 a & qless a r.2] then
      if closed (set_nth range0 box i (r.1, a)) known (half false) then
        closed (set_nth range0 box i (a, r.2)) known (half true)
      else false
    else false
  | Signed k j side =>
    if unit_of k j is Some _ then
      if sign (about_unit known k j) is Some _ then false else
      if closed box (revised known k j (with_sign true)) (side true) then
        closed box (revised known k j (with_sign false)) (side false)
      else false
    else false
  | Flat => all (sends_value box known) ts
  | Empty k j => contradicts (about_unit known k j)
  | Thin ms => thin box known ms
  end.

End Net.

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

Lemma pickP (T : Type) j (s : seq T) a : pick j s = Some a ->
  (j < size s)%N /\ forall b, nth b s j = a.
Proof.
by elim: s j => [|b s IH] [|j] //=; [move=> [->]|move/IH].
Qed.

Lemma about_revised known k j f k' j' : about_unit (revised known k j f) k' j'
  = if (k' == k) && (j' == j) then f (about_unit known k j) else about_unit known k' j'.
Proof.
rewrite /about_unit /revised nth_set_nth /=; have [->|_] //= := eqVneq k' k.
by rewrite nth_set_nth /=; case: eqP.
Qed.

Lemma part_revised net known (x : seq R) k j f : part net known x ->
    (forall p, p = nth 0 (pres (nth zlayer0 net k) (posts net k x)) j ->
      good (about_unit known k j) p -> good (f (about_unit known k j)) p) ->
  part net (revised known k j f) x.
Proof.
move=> ok new k' j'; rewrite -/(about_unit _ k' j') about_revised.
by case: ifP => [/andP[/eqP-> /eqP->]|_]; [apply: new|]; rewrite // ok.
Qed.

Lemma unit_value net k j wb (x : seq R) : unit_of net k j = Some wb ->
  nth 0 (pres (nth zlayer0 net k) (posts net k x)) j
  = pre (nth zlayer0 net k) (posts net k x) wb.
Proof.
move=> found; have [j_lt same] := pickP found.
by rewrite /pres (nth_map ([::], Z0)) // same.
Qed.

Lemma shownP box net known k ds wb q (up : bool) (x : seq R) : part net known x -> within_box box x ->
    shown net box known k ds wb up (Some q) ->
  if up then pre (nth zlayer0 net k) (posts net k x) wb <= ratio q
  else ratio q <= pre (nth zlayer0 net k) (posts net k x) wb.
Proof.
move=> ok in_box; rewrite /shown; case E: above => [p|//] le.
have := aboveP ok in_box E; rewrite pre_formP; case: up {E} le => le.
  by rewrite zr1 mul1r => /le_trans; apply; rewrite ratio_le.
rewrite -Pos2Z.opp_pos zrN zr1 mulN1r => bound.
by rewrite -lerN2 -ratio_opp (le_trans bound) // ratio_le.
Qed.

Lemma ratio_less a b : qless a b = (ratio a < ratio b).
Proof. by rewrite ltNge ratio_le. Qed.

Lemma contradictsP u (p : R) : contradicts u -> ~~ good u p.
Proof.
move=> bad; apply/negP => /and4P[sgn lo hi _]; move: bad; rewrite /contradicts.
case/or3P.
- case: (sign u) sgn => [[]|] // p0; case: (high u) hi => [h|] //= ph.
  by rewrite ratio_less ratio0 ltNge (le_trans p0 ph).
- case: (sign u) sgn => [[]|] // p0; case: (low u) lo => [l|] //= lp.
  by rewrite ratio_less ratio0 ltNge (le_trans lp p0).
case: (low u) lo => [l|] //= lp; case: (high u) hi => [h|] //= ph.
by rewrite ratio_less ltNge (le_trans lp ph).
Qed.

Lemma flatP f v (h : seq R) : flat f -> Qeq_bool (rest f) v -> fvalue f h = ratio v.
Proof.
rewrite /flat -(ratioP R) => flat_f /eqP <-; rewrite /fvalue.
have -> : rdot (coefs f) h = 0; last by rewrite mul0r add0r.
elim: (coefs f) h flat_f => [|a c IH] [|s x] //= /andP[/Z.eqb_spec <- c0].
by rewrite zr0 mul0r add0r IH.
Qed.

Lemma sends_valueP box net known t (x : seq R) : part net known x -> within_box box x ->
  sends_value net box known t -> fvalue t.1.2 (posts net t.1.1 x) = ratio t.2.
Proof.
move=> ok in_box; rewrite /sends_value; case E: exact => [g|//] /andP[flat_g same].
by rewrite (exactP ok in_box E); apply: flatP.
Qed.

Lemma div_divides a D : divides a D -> zr (Z.div (Zpos D) (Zpos a)) * zp a = zp D.
Proof. by case/dividesP=> k Dk; rewrite Dk Z.div_mul // -zrM /check_forms.zp Dk. Qed.

Lemma plus_formP q f t (h : seq R) :
  fvalue (plus_form q f t) h = ratio q * fvalue f h + fvalue t h.
Proof.
rewrite /plus_form /fvalue /= rdot_axpy rdot_scale ratio_add ratio_mult zrM.
have [da dt] := divides_common (Pos.mul (denom f) (Qden q)) (denom t).
have := div_divides da; have := div_divides dt; rewrite zpM.
have := zp_neq0 R (common (Pos.mul (denom f) (Qden q)) (denom t)).
have -> : ratio q = zr (Qnum q) / zp (Qden q) by case: (q).
have := zp_neq0 R (Qden q); have := zp_neq0 R (denom f); have := zp_neq0 R (denom t).
move: (zp (denom t)) (zp (denom f)) (zp (Qden q)) (zp (common _ _)) => T F d D t0 f0 d0 D0.
move: (zr (Z.div _ (Zpos (Pos.mul _ _)))) (zr (Z.div _ _)) => v u uT vF.
have -> : u = D / T by rewrite -uT; field; rewrite t0.
have -> : v = D / (F * d) by rewrite -vF; field; rewrite f0 d0.
move: (rdot (coefs f) h) (rdot _ h) (ratio (rest f)) (ratio _) (zr _) => r r' c c' n.
by field; rewrite D0 t0 f0 d0.
Qed.

Lemma known_signP u (p : R) s : good u p -> known_sign u = Some s -> if s then 0 <= p else p <= 0.
Proof.
move=> ok; rewrite /known_sign; case E: (sign u) => [s'|]; last exact: on_offP.
by case/and4P: ok; rewrite E => sgn _ _ _ [<-].
Qed.

Lemma gatheredP net box known ms t fs (x : seq R) : part net known x -> within_box box x ->
    gathered net box known ms = Some (t, fs) ->
  0 <= fvalue t x /\ (fvalue t x <= 0 -> forall f, List.In f fs -> fvalue f x = 0).
Proof.
move=> ok in_box; elim: ms t fs => [|[[k j] q] ms IH] t fs /=.
  by move=> [<- <-]; rewrite /fvalue /= ratio0 mul0r addr0; split.
case: ifP => // q0; case U: unit_of => [wb|//]; case S: known_sign => [s|//].
case E: exact => [f|//]; case G: gathered => [[t' fs']|//] [<- <-].
have [t0 zero] := IH _ _ G; rewrite plus_formP.
have := known_signP (ok k j) S; rewrite (unit_value x U).
have := exactP ok in_box E; rewrite pre_formP zr1 mul1r => -> sgn.
have q_gt0 : 0 < ratio q by rewrite ratio_gt0.
have term0 : 0 <= ratio (if s then q else Qopp q) * fvalue f x.
  case: s sgn {S} => sgn; first by rewrite mulr_ge0 // ltW.
  by rewrite ratio_opp mulNr -mulrN mulr_ge0 ?oppr_ge0 // ltW.
split=> [|le0]; first exact: addr_ge0.
have term_le0 : ratio (if s then q else Qopp q) * fvalue f x <= 0.
  by apply: le_trans le0; rewrite lerDl.
move=> g [<-|g_fs]; last by apply: zero g_fs; apply: le_trans le0; rewrite lerDr.
have /eqP := le_anti (introT andP (conj term_le0 term0)); rewrite mulf_eq0.
case/orP=> /eqP // ; case: (s); rewrite ?ratio_opp => /eqP; rewrite ?oppr_eq0 gt_eqF //.
Qed.

Lemma free_moving G ps c i : Z.eqb (nth Z0 (free_part G ps c) i) Z0 = false -> nth None ps i = None.
Proof.
elim: c ps i => [|a c IH] ps i /=; first by rewrite nth_nil.
case: i => [|i] /=; last by move/IH; rewrite nth_behead.
by rewrite -nth0; case: (nth None ps 0).
Qed.

Lemma exact_moving box net known k f g : exact box net known k f = Some g ->
  ~~ all (Z.eqb Z0) (take (size box) (coefs g)) -> moving box g.
Proof.
move=> E; have [f' ->] : exists f', g = freed (fixed box) f'.
  elim: k f E => [|k IH] f /=; first by move=> [<-]; exists f.
  by case: unbent => [f'|//] /IH.
rewrite -has_predC => /(has_nthP Z0)[i]; rewrite size_take_min leq_min => /andP[i_box i_c].
rewrite nth_take //= Z.eqb_sym => /negbTE coef; exists i; split=> //.
have := free_moving coef; rewrite (nth_map range0) //.
by case: ifP.
Qed.

Lemma all_In (T : Type) (p : pred T) s : reflect (forall a, List.In a s -> p a) (all p s).
Proof.
apply: (iffP idP); elim: s => [//|a s IH] /=; first by case/andP=> pa /IH all_p b [<-|/all_p].
by move=> all_p; rewrite all_p ?IH //; [move=> b b_s; apply: all_p; right|left].
Qed.

Lemma has_In (T : Type) (p : pred T) s : has p s -> exists2 a, List.In a s & p a.
Proof.
elim: s => [//|a s IH] /= /orP[pa|/IH[b b_s pb]]; first by exists a; [left|].
by exists b; [right|].
Qed.

Lemma gathered_exact net box known ms t fs f : gathered net box known ms = Some (t, fs) ->
  List.In f fs -> exists k f', exact box net known k f' = Some f.
Proof.
elim: ms t fs => [|[[k j] q] ms IH] t fs /=; first by move=> [_ <-].
case: ifP => // _; case: unit_of => [wb|//]; case: known_sign => [s|//].
case E: exact => [g|//]; case G: gathered => [[t' fs']|//] [_ <-] [<-|]; last exact: IH G.
by exists k, (pre_form (nth zlayer0 net k).1 (Zpos 1) wb).
Qed.

Lemma thinP net box known ms : thin net box known ms ->
  exists fs, (forall f, List.In f fs -> moving box f)
    /\ forall x : seq R, part net known x -> within_box box x ->
      exists2 f, List.In f fs & fvalue f x = 0.
Proof.
rewrite /thin; case G: gathered => [[t fs]|//].
have less : qless (largest t box) Q0 = (ratio (largest t box) < 0) by rewrite ratio_less ratio0.
case: ifP => [neg _|_ /andP[nonpos_]].
  exists [::]; split=> // x ok in_box; have [t0 _] := gatheredP ok in_box G.
  by move: neg; rewrite less ltNge (le_trans t0 (largestP t in_box)).
case/has_In=> f f_fs coef; exists [:: f]; split=> [g [<-|[]]|x ok in_box].
  by have [k [f' E]] := gathered_exact G f_fs; apply: exact_moving E coef.
exists f; first by left.
have [_ zero] := gatheredP ok in_box G; apply: zero f_fs.
by apply: le_trans (largestP t in_box) _; rewrite -(ratio0 R) ratio_le.
Qed.

Lemma moving_half box i r f : (i < size box)%N ->
    qless (nth range0 box i).1 (nth range0 box i).2 ->
  moving (set_nth range0 box i r) f -> moving box f.
Proof.
move=> i_box less [j []]; rewrite size_set_nth (maxn_idPr i_box) nth_set_nth /= => j_box.
case: eqP => [->|_] free coef; last by exists j.
exists i; split=> //; apply/negP; rewrite -(ratioP R) => /eqP same.
by move: less; rewrite ratio_less same ltxx.
Qed.

Lemma within_half box i r (x : seq R) : (i < size box)%N -> within_box box x ->
  ratio r.1 <= nth 0 x i -> nth 0 x i <= ratio r.2 -> within_box (set_nth range0 box i r) x.
Proof.
move=> i_box /within_boxP[size_x each_x] lo hi; apply: boxP => [|j].
  by rewrite size_set_nth size_x; apply/esym/maxn_idPr.
rewrite size_set_nth (maxn_idPr i_box) nth_set_nth /= => j_box.
by case: eqP => [->|_]; [|apply: each_x].
Qed.

Theorem closedP net ts box known t : closed net ts box known t ->
  exists planes, (forall f, List.In f planes -> moving box f)
    /\ forall x : seq R, part net known x -> within_box box x ->
      (forall f, List.In f planes -> fvalue f x != 0) ->
      all (fun w : target => fvalue w.1.2 (posts net w.1.1 x) == ratio w.2) ts.
Proof.
elim: t box known => [k j lo hi s ds next IH|i a half IH|k j side IH||k j|ms] box known /=.
- case U: unit_of => [wb|//]; case: ifP => // /and3P[share up down] /IH[fs [moves all_x]].
  exists fs; split=> // x ok in_box; apply: (all_x x _ in_box); apply: (part_revised ok).
  move=> p; rewrite (unit_value x U) => -> /and4P[sgn l h _] {all_x}.
  apply/and4P; split; rewrite //=.
    by case: lo down => [q|] // down; exact: (shownP ok in_box down).
  by case: hi up => [q|] // up; exact: (shownP ok in_box up).
- case: ifP => // /and3P[i_box lo hi]; case: ifP => // /IH[fs [moves all_x]] /IH[gs [moves' all_x']].
  have less : qless (nth range0 box i).1 (nth range0 box i).2.
    by move: lo hi; rewrite !ratio_less; apply: lt_trans.
  exists (fs ++ gs); split=> [f /(List.in_app_or fs gs)[]|x ok in_box off].
  + by move/moves; apply: moving_half.
  + by move/moves'; apply: moving_half.
  have [size_x /(_ i i_box)[lo_x hi_x]] := within_boxP in_box.
  have [x_a|a_x] := leP (nth 0 x i) (ratio a).
    apply: (all_x x ok) => [|f f_fs]; first exact: within_half.
    by apply/off/List.in_or_app; left.
  apply: (all_x' x ok) => [|f f_gs]; first by apply: within_half => //; apply: ltW.
  by apply/off/List.in_or_app; right.
- case U: unit_of => [wb|//]; case: (sign _) => //; case: ifP => // /IH[fs [moves all_x]].
  move=> /IH[gs [moves' all_x']]; exists (fs ++ gs); split=> [f /(List.in_app_or fs gs)[]|x ok in_box off].
  + exact: moves.
  + exact: moves'.
  have new b : (if b then 0 <= pre (nth zlayer0 net k) (posts net k x) wb
      else pre (nth zlayer0 net k) (posts net k x) wb <= 0) ->
      part net (revised known k j (with_sign b)) x.
    move=> sgn; apply: (part_revised ok) => p; rewrite (unit_value x U) => -> /and4P[_ l h share].
    by apply/and4P; split; case: b sgn.
  have [p0|p0] := leP 0 (pre (nth zlayer0 net k) (posts net k x) wb).
    apply: (all_x x (new true p0) in_box) => f f_fs.
    by apply/off/List.in_or_app; left.
  apply: (all_x' x (new false (ltW p0)) in_box) => f f_gs.
  by apply/off/List.in_or_app; right.
- move=> sent; exists [::]; split=> // x ok in_box _; apply: sub_all sent => w sends_w.
  by apply/eqP; apply: sends_valueP sends_w.
- move=> bad; exists [::]; split=> // x ok _ _; 
  by have /negP[] := contradictsP (nth 0 (pres (nth zlayer0 net k) (posts net k x)) j) bad; apply: ok.
move/thinP => [fs [moves all_x]]; exists fs; split=> // x ok in_box off.
by have [f f_fs f0] := all_x x ok in_box; have := off f f_fs; rewrite f0 eqxx.
Qed.

End Correct.
