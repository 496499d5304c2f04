(******************************************************************************)
(* Whether affine forms of what a layer sends are at most 0 at many rows at   *)
(* once: a number of the net at all rows stands in the slots of one integer   *)
(* (check_slots.v). Numbers may be short: their last digits are left out, and *)
(* how much that may change a sum is bounded.                                 *)
(*                                                                            *)
(* short c q u == the unit u without the last q digits of its weights, for    *)
(*                inputs without their last c digits                          *)
(* off_by .. u == how far its sum may then be from that of all digits         *)
(*  slack .. u == the same, in the digits that are left                       *)
(* near c e a h == h is within e of the short numbers a times 2^c             *)
(*         way == how many digits are left out, of the inputs and then layer  *)
(*                by layer (a hint for each), and how wide a slot is          *)
(*  prepare .. == the layers and forms for that, if all fits the slots        *)
(*   sent .. X == what the layers make of the packed inputs X, if it fits     *)
(* shown .. Y f == what the form f makes of that is at most 0 at all rows     *)
(* surely .. X == all forms are                                               *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_deep check_integers check_rough
  check_slots.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Local Notation llayer := check_deep.layer.

Local Open Scope Z_scope.

(* Numbers of fewer digits that are near those of a layer.                    *)
Definition missing (cut : Z) (x : seq Z) :=
  zsizes [seq Z.sub a (Z.shiftl (Z.shiftr a cut) cut) | a <- x].

(* A unit by fewer digits, how far its sum may be from that of all digits,    *)
(* and how much is added to it for an upper bound.                            *)
Definition short (c q : Z) (wb : seq Z * Z) := (leading q wb.1, Z.shiftr wb.2 (Z.add c q)).

Definition off_by (c e A q : Z) (wb : seq Z * Z) :=
  Z.add (Z.add (Z.mul e (zsizes wb.1)) (Z.shiftl (Z.mul A (missing q wb.1)) c))
    (Z.ones (Z.add c q)).

Definition slack (c e A q : Z) (wb : seq Z * Z) :=
  Z.shiftr (Z.add (off_by c e A q wb) (Z.ones (Z.add c q))) (Z.add c q).

Definition near (c e : Z) := List.Forall2 (fun a h => Z.abs (h - a * 2 ^ c) <= e).

(* Of a hidden layer: the digits that its weights leave out, those that its   *)
(* values leave out, and how many are left of these at most.                  *)
Record hint := Hint { cut : Z; lost : Z; bits : Z }.

(* Digits that the inputs leave out, a bound of what is left, the bits of a   *)
(* slot, hints for the hidden layers, and the digits that the forms leave out. *)
Record way := Way { left_out : Z; most : Z; slot : Z; hints : seq hint; last_cut : Z }.

Definition proper_hint (B : Z) (h : hint) :=
  [&& Z.leb Z0 (cut h), Z.leb Z0 (lost h), Z.leb (lost h) B, Z.leb Z0 (bits h) & Z.leb (bits h) B].

(* Whether the unit reads d numbers of at most A, and its sum fits a slot.    *)
Definition fits_slot (B : Z) (d : nat) (c e A q : Z) (wb : seq Z * Z) :=
  let s := short c q wb in
  (size wb.1 == d)
  && Z.ltb (Z.add (Z.add (Z.mul A (zsizes s.1)) (Z.abs s.2)) (slack c e A q wb)) (half B).

Definition raised (c e A q : Z) (wb : seq Z * Z) :=
  let s := short c q wb in (s.1, Z.add s.2 (slack c e A q wb)).

Record prepared := Prepared { layers : seq (llayer Z * hint); forms : llayer Z }.

Fixpoint prepare (B : Z) (d : nat) (c e A : Z) (hs : seq hint) (q : Z) (zs : seq (llayer Z))
    (fs : llayer Z) : option prepared :=
  match hs, zs with
  | [::], [::] =>
    if Z.leb Z0 q && all (fits_slot B d c e A q) fs then
      Some (Prepared [::] [seq raised c e A q f | f <- fs])
    else None
  | h :: hs', l :: zs' =>
    if proper_hint B h && all (fits_slot B d c e A (cut h)) l then
      let c' := Z.add c (cut h) in
      let far := foldr (fun u => Z.max (off_by c e A (cut h) u)) Z0 l in
      let e' := Z.add far (Z.shiftl (Z.ones (lost h)) c') in
      if prepare B (size l) (Z.add c' (lost h)) e' (Z.ones (bits h)) hs' q zs' fs is Some p then
        Some (Prepared ((map (short c (cut h)) l, h) :: layers p) (forms p))
      else None
    else None
  | _, _ => None
  end.

(* The sum of a unit at all rows; one is 1 in each slot.                      *)
Definition sum_at (one : Z) (X : seq Z) (wb : seq Z * Z) := zdot (Z.mul wb.2 one) wb.1 X.

Fixpoint sent (B one : Z) (ps : seq (llayer Z * hint)) (X : seq Z) : option (seq Z) :=
  if ps is (l, h) :: ps' then
    let Y := [seq positive_parts B one (lost h) (sum_at one X u) | u <- l] in
    if all (shorter B one (bits h)) Y then sent B one ps' Y else None
  else Some X.

Definition shown (B one : Z) (Y : seq Z) (f : seq Z * Z) : bool := none_positive B one (sum_at one Y f).

Definition surely (B one : Z) (ps : seq (llayer Z * hint)) (fs : llayer Z) (X : seq Z) : bool :=
  if sent B one ps X is Some Y then all (shown B one Y) fs else false.

Lemma shiftl_E a n : 0 <= n -> Z.shiftl a n = a * 2 ^ n.
Proof. by move=> n0; rewrite Z.shiftl_mul_pow2. Qed.

Lemma missing_cons q u w : missing q (u :: w) = Z.abs (u - Z.shiftl (Z.shiftr u q) q) + missing q w.
Proof. by rewrite /missing /= zsizes_cons. Qed.

Lemma near_dot c e A q w a h : 0 <= c -> 0 <= e -> 0 <= A -> 0 <= q ->
    near c e a h -> all (fun v => Z.leb (Z.abs v) A) a ->
  Z.abs (zdot 0 w h - 2 ^ (c + q) * zdot 0 (leading q w) a)
  <= e * zsizes w + Z.shiftl (A * missing q w) c.
Proof.
move=> c0 e0 A0 q0 near_ah; rewrite shiftl_E // Z.pow_add_r //.
have C0 : 0 < 2 ^ c by apply: Z.pow_pos_nonneg.
have Q0 : 0 < 2 ^ q by apply: Z.pow_pos_nonneg.
elim: near_ah w => [|x y a' h' xy _ IH] [|u w] //=.
- by rewrite /missing /zsizes /=; lia.
- move=> _; have := @zsizes_ge0 (u :: w).
  have := @zsizes_ge0 [seq Z.sub b (Z.shiftl (Z.shiftr b q) q) | b <- u :: w].
  by rewrite -/(missing q (u :: w)); nia.
- by move=> _; rewrite /missing /zsizes /=; lia.
rewrite -/(zdot 0 (u :: w) (y :: h')) -/(zdot 0 (Z.shiftr u q :: leading q w) (x :: a')).
move=> /andP[/Z.leb_spec0 xA a'A]; have {IH} := IH w a'A.
rewrite !zdot_cons !(zdot_acc (Z.add _ _)) missing_cons zsizes_cons (shiftl_E _ q0).
move: (zdot 0 w h') (zdot 0 (leading q w) a') (zsizes w) (missing q w) => D D' S M.
move: (Z.shiftr u q) => v IH.
have one : Z.abs (u * (y - x * 2 ^ c)) <= e * Z.abs u.
  by rewrite Z.abs_mul Z.mul_comm; apply: Z.mul_le_mono_nonneg_r xy; apply: Z.abs_nonneg.
have two : Z.abs ((u - v * 2 ^ q) * (x * 2 ^ c)) <= A * Z.abs (u - v * 2 ^ q) * 2 ^ c.
  rewrite !Z.abs_mul (Z.abs_eq (2 ^ c)); last lia.
  rewrite (Z.mul_comm A) -Z.mul_assoc; apply: Z.mul_le_mono_nonneg_l; first exact: Z.abs_nonneg.
  by apply: Z.mul_le_mono_nonneg_r xA; lia.
have -> : 0 + u * y + D - 2 ^ c * 2 ^ q * (0 + v * x + D')
  = u * (y - x * 2 ^ c) + (u - v * 2 ^ q) * (x * 2 ^ c) + (D - 2 ^ c * 2 ^ q * D') by ring.
lia.
Qed.

Lemma ones_E n : 0 <= n -> Z.ones n = 2 ^ n - 1.
Proof. by move=> n0; rewrite Z.ones_equiv; lia. Qed.

Lemma shiftr_range a n : 0 <= n -> 0 <= a - Z.shiftr a n * 2 ^ n < 2 ^ n.
Proof. by move=> n0; have [r [aE r_in]] := shiftr_split a n0; lia. Qed.

Lemma near_affine c e A q wb a h : 0 <= c -> 0 <= e -> 0 <= A -> 0 <= q ->
    near c e a h -> all (fun v => Z.leb (Z.abs v) A) a ->
  Z.abs (zdot wb.2 wb.1 h - 2 ^ (c + q) * zdot (short c q wb).2 (short c q wb).1 a)
  <= off_by c e A q wb.
Proof.
move=> c0 e0 A0 q0 ah aA.
rewrite /off_by /short /= (zdot_acc wb.2) (zdot_acc (Z.shiftr _ _)) ones_E; last lia.
have := @near_dot c e A q wb.1 a h c0 e0 A0 q0 ah aA.
have := @shiftr_range wb.2 (c + q) (Z.add_nonneg_nonneg _ _ c0 q0).
move: (zdot 0 _ h) (zdot 0 _ a) (Z.shiftl _ c) (Z.shiftr _ _) (2 ^ (c + q)) => D D' M S C; lia.
Qed.

Lemma slackP c e A q wb : 0 <= c + q -> off_by c e A q wb <= 2 ^ (c + q) * slack c e A q wb.
Proof.
move=> cq; rewrite /slack; have := @shiftr_range (off_by c e A q wb + Z.ones (c + q)) _ cq.
rewrite ones_E //; lia.
Qed.

Lemma zdot_small A b w a : 0 <= A -> all (fun v => Z.leb (Z.abs v) A) a ->
  Z.abs (zdot b w a) <= A * zsizes w + Z.abs b.
Proof.
move=> A0; elim: w a b => [|u w IH] [|x a] b; try by rewrite /= /zsizes /=; lia.
  by move=> _; have := @zsizes_ge0 (u :: w); rewrite /=; nia.
rewrite [all _ _]/= => /andP[/Z.leb_spec0 xA aA]; rewrite zdot_cons zsizes_cons.
have := IH a (b + u * x) aA; have : Z.abs (u * x) <= A * Z.abs u.
  by rewrite Z.abs_mul Z.mul_comm; apply: Z.mul_le_mono_nonneg_r xA; apply: Z.abs_nonneg.
lia.
Qed.

Lemma value_near c e A q t wb a h : 0 <= c -> 0 <= e -> 0 <= A -> 0 <= q -> 0 <= t ->
    near c e a h -> all (fun v => Z.leb (Z.abs v) A) a ->
  Z.abs (zrelu (zdot wb.2 wb.1 h)
         - Z.shiftr (Z.max 0 (zdot (short c q wb).2 (short c q wb).1 a)) t * 2 ^ (c + q + t))
  <= off_by c e A q wb + Z.shiftl (Z.ones t) (c + q).
Proof.
move=> c0 e0 A0 q0 t0 ah aA; have := @near_affine c e A q wb a h c0 e0 A0 q0 ah aA.
have C0 : 0 < 2 ^ (c + q) by apply: Z.pow_pos_nonneg; lia.
rewrite shiftl_E ?ones_E ?[2 ^ (c + q + _)]Z.pow_add_r; try lia.
set v := zdot (short c q wb).2 _ _; have := @shiftr_range (Z.max 0 v) _ t0; rewrite /zrelu.
set s := Z.shiftr _ _; set x := zdot _ _ _; set f := off_by _ _ _ _ _.
have : 2 ^ (c + q) * Z.max 0 v = Z.max 0 (2 ^ (c + q) * v) by nia.
move: (2 ^ (c + q)) (2 ^ t) C0 => C T C1; nia.
Qed.

Lemma more_ge0 c e A q wb a h : 0 <= c -> 0 <= e -> 0 <= A -> 0 <= q ->
    near c e a h -> all (fun v => Z.leb (Z.abs v) A) a ->
  0 <= slack c e A q wb.
Proof.
move=> c0 e0 A0 q0 ah aA; have := @near_affine c e A q wb a h c0 e0 A0 q0 ah aA.
have := @slackP c e A q wb; have : 0 < 2 ^ (c + q) by apply: Z.pow_pos_nonneg; lia.
nia.
Qed.

Lemma near_leading c x : 0 <= c -> near c (Z.ones c) (leading c x) x.
Proof.
move=> c0; elim: x => [|a x IH] /=; constructor=> //.
by have := @shiftr_range a c c0; rewrite ones_E //; lia.
Qed.

Lemma farthest (T : Type) (f : T -> Z) s u : List.In u s -> f u <= foldr (fun v => Z.max (f v)) 0 s.
Proof. by elim: s => [//|v s IH] /= [<-|/IH]; lia. Qed.

Lemma farthest_ge0 (T : Type) (f : T -> Z) s : 0 <= foldr (fun v => Z.max (f v)) 0 s.
Proof. by elim: s => [|v s IH] /=; lia. Qed.

Lemma zdotC w x : zdot 0 w x = zdot 0 x w.
Proof.
elim: w x => [|a w IH] [|b x] //; rewrite !zdot_cons zdot_acc [RHS]zdot_acc IH; lia.
Qed.

Lemma columns_map (B : Z) (T U : Type) (F : U -> T -> Z) (l : seq U) (rs : seq T) :
  columns B (size l) [seq [seq F u r | u <- l] | r <- rs] = [seq pack B (map (F u) rs) | u <- l].
Proof.
elim: l => [//|u l IH] /=; congr cons; first by rewrite -map_comp.
by rewrite -map_comp.
Qed.

(* At rows r the numbers a r are those of h r in fewer digits.                *)
Section Rows.

Variables (B : Z) (T : Type) (rs : seq T).
Hypothesis B1 : 0 < B.
Let B0 : 0 <= B. Proof. exact: Z.lt_le_incl. Qed.
Let one := in_each B (size rs).

Definition stand_for d c e A (a h : T -> seq Z) := forall r, List.In r rs ->
  [/\ size (a r) = d, near c e (a r) (h r) & all (fun v => Z.leb (Z.abs v) A) (a r)].

Lemma sum_atE d a wb : size wb.1 = d ->
  sum_at one (columns B d (map a rs)) wb = pack B [seq zdot wb.2 wb.1 (a r) | r <- rs].
Proof.
move=> w_d; rewrite /sum_at zdot_acc columnsE // in_eachE // -map_comp -packD //.
by congr pack; apply: eq_map => r /=; rewrite [RHS]zdot_acc zdotC.
Qed.

Lemma sum_fits d c e A q a h' u : 0 <= A -> fits_slot B d c e A q u -> stand_for d c e A a h' ->
  forall r, List.In r rs ->
  Z.abs (zdot (short c q u).2 (short c q u).1 (a r)) + slack c e A q u < half B.
Proof.
move=> A0 /andP[_ /Z.ltb_spec0 fits] ok r r_in; have [_ _ aA] := ok r r_in.
have := @zdot_small A (short c q u).2 (short c q u).1 _ A0 aA; lia.
Qed.

Lemma surelyP zs d c e A hs q fs p a h' : 0 <= c -> 0 <= e -> 0 <= A ->
    prepare B d c e A hs q zs fs = Some p -> stand_for d c e A a h' ->
    surely B one (layers p) (forms p) (columns B d (map a rs)) ->
  forall r f, List.In r rs -> List.In f fs -> zdot f.2 f.1 (zforward zs (h' r)) <= 0.
Proof.
rewrite /surely; elim: zs d c e A hs p a h' => [|l zs IH] d c e A [|hint_ hs] p a h' c0 e0 A0 //=.
  case: ifP => // /andP[/Z.leb_spec0 q0 fits] [<-] /= ok; rewrite all_map => off r f r_in f_in.
  have fit := all_in fits f_in; have /andP[/eqP f_d _] := fit.
  have := all_in off f_in; rewrite /shown /= sum_atE /raised /= ?size_map // => none.
  have small r' : List.In r' rs ->
      Z.abs (zdot (Z.shiftr f.2 (c + q) + slack c e A q f) (leading q f.1) (a r')) < half B.
    move=> r_in'; have := sum_fits A0 fit ok r_in'; rewrite /short /=.
    have [_ near_r aA] := ok r' r_in'.
    rewrite (zdot_acc (_ + _)) (zdot_acc (Z.shiftr _ _)).
    have := @slackP c e A q f; have := @near_affine c e A q f _ _ c0 e0 A0 q0 near_r aA.
    have : 0 < 2 ^ (c + q) by apply: Z.pow_pos_nonneg; lia.
    nia.
  have := none_positiveP B1 small none r_in; have [_ near_r aA] := ok r r_in.
  have := @near_affine c e A q f _ _ c0 e0 A0 q0 near_r aA; rewrite /short /=.
  rewrite (zdot_acc (Z.add _ _)) (zdot_acc (Z.shiftr _ _)); have := @slackP c e A q f.
  have : 0 < 2 ^ (c + q) by apply: Z.pow_pos_nonneg; lia.
  nia.
case: ifP => // /andP[/and5P[/Z.leb_spec0 q0 /Z.leb_spec0 t0 /Z.leb_spec0 tB /Z.leb_spec0 b0 /Z.leb_spec0 bB] fits].
case F: prepare => [p'|//] [<-] ok /=; case: ifP => // small off.
set a' := fun r => [seq Z.shiftr (Z.max 0 (zdot (short c (cut hint_) u).2 (short c (cut hint_) u).1 (a r)))
  (lost hint_) | u <- l].
have parts u : List.In u l -> positive_parts B one (lost hint_)
    (sum_at one (columns B d (map a rs)) (short c (cut hint_) u))
    = pack B [seq Z.shiftr (Z.max 0 (zdot (short c (cut hint_) u).2 (short c (cut hint_) u).1 (a r)))
        (lost hint_) | r <- rs].
  move=> u_in; have fit := all_in fits u_in; have /andP[/eqP u_d _] := fit.
  rewrite sum_atE ?size_map // positive_partsE //.
  move=> r r_in; have := sum_fits A0 fit ok r_in.
  have [_ near_r aA] := ok r r_in.
  have := @slackP c e A (cut hint_) u; have := @near_affine c e A (cut hint_) u _ _ c0 e0 A0 q0 near_r aA.
  have : 0 < 2 ^ (c + cut hint_) by apply: Z.pow_pos_nonneg; lia.
  nia.
set Y := [seq _ | _ <- _] in small off.
have YE : Y = columns B (size l) (map a' rs).
  rewrite columns_map /Y -map_comp; elim: (l) parts => //= u s IHs parts; congr cons.
    by apply: parts; left.
  by apply: IHs => v v_s; apply: parts; right.
set far := foldr _ _ _ in F; set c' := c + cut hint_ in F; set e' := far + _ in F.
have t1 : 0 <= Z.shiftl (Z.ones (lost hint_)) c'.
  rewrite shiftl_E ?ones_E; try lia.
  have : 0 < 2 ^ lost hint_ by apply: Z.pow_pos_nonneg.
  have : 0 < 2 ^ c' by apply: Z.pow_pos_nonneg; lia.
  nia.
have far0 : 0 <= far by apply: farthest_ge0.
have A1 : 0 <= Z.ones (bits hint_) by rewrite ones_E //; have := Z.pow_pos_nonneg 2 (bits hint_); lia.
move: off; rewrite YE => off.
have := IH _ _ _ _ _ _ a' (fun r => map zrelu (zaffine l (h' r))) _ _ A1 F _ off.
rewrite /zforward /=; apply; try lia.
move=> r r_in; have [_ near_r aA] := ok r r_in; split; first by rewrite size_map.
  rewrite /a' /zaffine -map_comp; have := @farthest _ (off_by c e A (cut hint_)) l.
  rewrite -/far; elim: (l) => [|u s IHs] le_far /=; constructor.
    apply: Z.le_trans (@value_near c e A (cut hint_) _ u _ _ c0 e0 A0 q0 t0 near_r aA) _.
    by have := le_far u (or_introl erefl); rewrite /e' /c'; lia.
  by apply: IHs => v v_s; apply: le_far; right.
have low u : List.In u l -> shorter B one (bits hint_) (pack B [seq
    Z.shiftr (Z.max 0 (zdot (short c (cut hint_) u).2 (short c (cut hint_) u).1 (a r))) (lost hint_) | r <- rs]).
  move=> u_in; rewrite -parts //; apply: all_in small _; rewrite /Y -map_comp.
  exact: (List.in_map ((fun v => positive_parts B one _ (sum_at one _ v)) \o short c (cut hint_))).
rewrite /a' all_map; elim: (l) low fits {Y YE small off F far e' t1 far0 parts a'} => //= u s IHs low.
case/andP=> fit fits; apply/andP; split; last by apply: IHs => // v v_s; apply: low; right.
set v := Z.shiftr _ _.
have small r' : List.In r' rs -> 0 <= Z.shiftr (Z.max 0 (zdot (short c (cut hint_) u).2
    (short c (cut hint_) u).1 (a r'))) (lost hint_) < 2 ^ B.
  move=> r_in'; have := sum_fits A0 fit ok r_in'.
  have := @half_twice B B1; have := @more_ge0 c e A (cut hint_) u (a r') (h' r') c0 e0 A0 q0.
  have [_ near_r' aA'] := ok r' r_in' => /(_ near_r' aA'); rewrite Z.shiftr_div_pow2 //.
  set w := zdot _ _ _ => ? ? ?; have L0 : 0 < 2 ^ lost hint_ by apply: Z.pow_pos_nonneg.
  split; first by apply: Z.div_pos; lia.
  by apply: Z.le_lt_trans (Z.div_le_upper_bound _ _ (Z.max 0 w) L0 _) _; nia.
apply/Z.leb_spec0; have := shorterP B1 (conj b0 bB) small (low u (or_introl erefl)) r_in.
have [v0 _] := small r r_in; rewrite -/v in v0 *; lia.
Qed.

End Rows.
