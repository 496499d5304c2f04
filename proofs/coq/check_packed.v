(******************************************************************************)
(* Which units are off, of a whole layer at once: the weights of an input to  *)
(* all units stand in the slots of one integer (check_slots.v), and so do the *)
(* sums. Numbers are short, their last digits are left out, and how much that *)
(* may change a sum is bounded. What they do not show is left to all digits.  *)
(*                                                                            *)
(* short c q u == the unit u without the last q digits of its weights, for    *)
(*                inputs without their last c digits                          *)
(* off_by .. u == how far its sum may then be from that of all digits         *)
(*  slack .. u == the same, in the digits that are left                       *)
(* surely ps a == the short inputs a show that all units asked for are off    *)
(* prepare d c e hs zs Js == the layers ps for that; hints hs say how many    *)
(*                digits are left out, Js which units are asked for           *)
(* near c e a h == h is within e of the short numbers a times 2^c             *)
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

(* A layer of short numbers: an input's weights to all units stand in one     *)
(* integer, and so do the sums.                                               *)
Record group := Group {
  sent : seq Z;       (* for each input the packed weights                      *)
  above : Z;          (* packed upper bounds of the sums, without the inputs    *)
  full : Z;           (* half in each slot                                      *)
  asked : Z;          (* half in the slots of the units that must be off        *)
  centre : Z;         (* with it the sums are not negative                      *)
  steps : seq (Z * Z);
  count : nat
}.

Record packed := Packed { groups : seq group; zero : Z; most : Z; dropped : Z }.

Definition sum_at (a : seq Z) (g : group) := zdot (above g) a (sent g).

Definition all_off (g : group) (z : Z) := Z.eqb (Z.land (Z.sub (full g) z) (asked g)) (asked g).

Definition values_of (p : packed) (g : group) (z : Z) :=
  [seq Z.shiftr (Z.max Z0 (Z.sub v (zero p))) (dropped p)
  | v <- take (count g) (unpack (steps g) (Z.add z (centre g)) [::])].

Fixpoint surely (ps : seq packed) (a : seq Z) : bool :=
  if ps is p :: ps' then
    if all (fun v => Z.leb (Z.abs v) (most p)) a then
      let sums := [seq (g, sum_at a g) | g <- groups p] in
      if all (fun gz => all_off gz.1 gz.2) sums then
        if ps' is [::] then true
        else surely ps' (flatten [seq values_of p gz.1 gz.2 | gz <- sums])
      else false
    else false
  else true.

Record hint := Hint { bound : Z; cut : Z; lost : Z; slot : Z; sizes : seq nat; depth : nat }.

Definition proper_hint (h : hint) :=
  [&& Z.leb Z0 (bound h), Z.leb Z0 (cut h), Z.leb Z0 (lost h) & Z.ltb Z0 (slot h)].

Definition unit_flag := ((seq Z * Z) * bool)%type.

Definition fits_slot (c e : Z) (h : hint) (u : unit_flag) :=
  let s := short c (cut h) u.1 in
  Z.ltb (Z.add (Z.add (Z.mul (bound h) (zsizes s.1)) (Z.abs s.2)) (slack c e (bound h) (cut h) u.1))
    (half (slot h)).

Definition group_of (d : nat) (c e : Z) (h : hint) (us : seq unit_flag) : option group :=
  let B := slot h in
  let more u := slack c e (bound h) (cut h) u.1 in
  if all (fits_slot c e h) us && (size us <= 2 ^ depth h)%N then
    Some (Group (columns B d [seq (short c (cut h) u.1).1 | u : unit_flag <- us])
      (pack B [seq Z.add (short c (cut h) u.1).2 (more u) | u : unit_flag <- us])
      (pack B [seq half B | u <- us])
      (pack B [seq if u.2 then half B else Z0 | u : unit_flag <- us])
      (pack B [seq Z.sub (half B) (more u) | u : unit_flag <- us]) (halves B (depth h)) (size us))
  else None.

Fixpoint flagged (J : seq bool) (l : llayer Z) : seq unit_flag :=
  if l is u :: l' then (u, head false J) :: flagged (behead J) l' else [::].

(* Of the last layer that is looked at only the units that must be off.       *)
Fixpoint prepare (d : nat) (c e : Z) (hs : seq hint) (zs : seq (llayer Z)) (Js : seq (seq bool)) :
    option (seq packed) :=
  match hs, zs with
  | [::], _ => Some [::]
  | h :: hs', l :: zs' =>
    let all_us := flagged (head [::] Js) l in
    let us := if hs' is [::] then [seq u <- all_us | u.2] else all_us in
    if proper_hint h && (size us <= sumn (sizes h))%N then
      if each (group_of d c e h) (reshape (sizes h) us) is Some gs then
        let c' := Z.add c (cut h) in
        let far := foldr (fun u => Z.max (off_by c e (bound h) (cut h) u.1)) Z0 us in
        let e' := Z.add far (Z.shiftl (Z.ones (lost h)) c') in
        if prepare (size l) (Z.add c' (lost h)) e' hs' zs' (behead Js) is Some more then
          Some (Packed gs (half (slot h)) (bound h) (lost h) :: more)
        else None
      else None
    else None
  | _, _ => None
  end.

(* Few digits and all of them                                                 *)

Definition near (c e : Z) := List.Forall2 (fun a h => Z.abs (h - a * 2 ^ c) <= e).

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

(* One group                                                                  *)
Section Group.

Variables (d : nat) (c e : Z) (hint_ : hint) (a h : seq Z).
Hypotheses (c0 : 0 <= c) (e0 : 0 <= e) (ok : proper_hint hint_).
Hypotheses (a_d : size a = d) (ah : near c e a h).
Hypothesis aA : all (fun v => Z.leb (Z.abs v) (bound hint_)) a.

Let B := slot hint_.
Let q := cut hint_.
Let A := bound hint_.
Let exact (u : unit_flag) := zdot u.1.2 u.1.1 h.
Let sum (u : unit_flag) := zdot (short c q u.1).2 (short c q u.1).1 a.
Let more (u : unit_flag) := slack c e A q u.1.

Let A0 : 0 <= A. Proof. by case/and4P: ok => /Z.leb_spec0. Qed.
Let q0 : 0 <= q. Proof. by case/and4P: ok => _ /Z.leb_spec0. Qed.
Let t0 : 0 <= lost hint_. Proof. by case/and4P: ok => _ _ /Z.leb_spec0. Qed.
Let B1 : 0 < B. Proof. by case/and4P: ok => _ _ _ /Z.ltb_spec0. Qed.
Let B0 : 0 <= B. Proof. exact: Z.lt_le_incl. Qed.
Let C0 : 0 < 2 ^ (c + q). Proof. by apply: Z.pow_pos_nonneg; lia. Qed.

Let close u : Z.abs (exact u - 2 ^ (c + q) * sum u) <= off_by c e A q u.1.
Proof. exact: near_affine. Qed.

Let off_ge0 (u : unit_flag) : 0 <= off_by c e A q u.1.
Proof. by have := @close u; lia. Qed.

Let enough (u : unit_flag) : off_by c e A q u.1 <= 2 ^ (c + q) * more u.
Proof. by apply: slackP; lia. Qed.

Let more_ge0 u : 0 <= more u.
Proof. by have := @enough u; have := @off_ge0 u; nia. Qed.

Variables (us : seq unit_flag) (g : group).
Hypothesis gE : group_of d c e hint_ us = Some g.

Let fits u : List.In u us -> Z.abs (sum u) + more u < half B.
Proof.
move: gE; rewrite /group_of; case: ifP => // /andP[+ _] _.
elim: us => [//|v s IH] /= /andP[/Z.ltb_spec0 now rest] [<-|]; last exact: IH.
have {now} : A * zsizes (short c q v.1).1 + Z.abs (short c q v.1).2 + more v < half B := now.
by have := @zdot_small A (short c q v.1).2 (short c q v.1).1 a A0 aA; rewrite -/(sum v); lia.
Qed.

Lemma sum_atE : sum_at a g = pack B [seq sum u + more u | u : unit_flag <- us].
Proof.
move: gE; rewrite /group_of; case: ifP => // _ [<-]; rewrite /sum_at /= zdot_acc.
rewrite columnsE // -map_comp -packD //; congr pack; apply: eq_map => u /=.
by rewrite /sum /more /A /q /short [in RHS]zdot_acc /=; lia.
Qed.

Lemma offP : all_off g (sum_at a g) -> forall u, List.In u us -> u.2 -> exact u <= 0.
Proof.
move=> /Z.eqb_eq; rewrite sum_atE.
have -> : Z.sub (full g) (pack B [seq sum u + more u | u : unit_flag <- us])
    = pack B [seq half B - (sum u + more u) | u : unit_flag <- us].
  move: gE; rewrite /group_of; case: ifP => // _ [<-] /=.
  have -> : pack B [seq half B | _ <- us]
      = pack B [seq (half B - (sum u + more u)) + (sum u + more u) | u : unit_flag <- us].
    by congr pack; apply: eq_map => u; lia.
  by rewrite packD //; lia.
have -> : asked g = pack B [seq if u.2 then half B else 0 | u : unit_flag <- us].
  by move: gE; rewrite /group_of; case: ifP => // _ [<-].
move=> same u u_s u2.
have {same} low := off_slots B0 B1 _ same u_s u2.
have {low} : sum u + more u <= 0.
  by apply: low => v /fits; have := @more_ge0 v; lia.
by have := @close u; have := @enough u; nia.
Qed.

Let far (u : unit_flag) := off_by c e A q u.1 + Z.shiftl (Z.ones (lost hint_)) (c + q).

Lemma value_near u : Z.abs (zrelu (exact u) - Z.shiftr (Z.max 0 (sum u)) (lost hint_)
  * 2 ^ (c + q + lost hint_)) <= far u.
Proof.
rewrite /far shiftl_E ?ones_E ?[2 ^ (c + q + _)]Z.pow_add_r; try lia.
have := @shiftr_range (Z.max 0 (sum u)) _ t0; have := @close u; rewrite /zrelu.
set s := Z.shiftr _ _; set x := exact u; set v := sum u; set f := off_by _ _ _ _ _.
have : 2 ^ (c + q) * Z.max 0 v = Z.max 0 (2 ^ (c + q) * v) by nia.
move: (2 ^ (c + q)) (2 ^ lost hint_) C0 => C T C1; nia.
Qed.

Variables (p : packed) (e' : Z).
Hypotheses (p_zero : zero p = half B) (p_lost : dropped p = lost hint_).
Hypothesis e'_far : forall u, List.In u us -> far u <= e'.

Lemma valuesP : near (c + q + lost hint_) e' (values_of p g (sum_at a g))
  [seq zrelu (exact u) | u : unit_flag <- us].
Proof.
have -> : values_of p g (sum_at a g)
    = [seq Z.shiftr (Z.max 0 (sum u)) (lost hint_) | u : unit_flag <- us].
  rewrite /values_of sum_atE p_zero p_lost.
  have -> : Z.add (pack B [seq sum u + more u | u : unit_flag <- us]) (centre g)
      = pack B [seq sum u + half B | u : unit_flag <- us].
    move: gE; rewrite /group_of; case: ifP => // _ [<-] /=; rewrite -packD //.
    by congr pack; apply: eq_map => u; rewrite -/B -/A -/q -/(more u); lia.
  have -> : steps g = halves B (depth hint_) by move: gE; rewrite /group_of; case: ifP => // _ [<-].
  have -> : count g = size [seq sum u + half B | u : unit_flag <- us].
    by rewrite size_map; move: gE; rewrite /group_of; case: ifP => // _ [<-].
  rewrite unpack_take //.
  - by rewrite -map_comp; apply: eq_map => u /=; congr Z.shiftr; lia.
  - move=> v /List.in_map_iff [u [<- /fits]]; have := @more_ge0 u; have := half_twice B1; lia.
  - by rewrite size_map; move: gE; rewrite /group_of; case: ifP => // /andP[].
have := e'_far; elim: (us) => [|u s IH] le_e /=; constructor.
  by apply: (Z.le_trans _ _ _ (@value_near u)); apply: le_e; left.
by apply: IH => v v_s; apply: le_e; right.
Qed.

End Group.

Lemma near_leading c x : 0 <= c -> near c (Z.ones c) (leading c x) x.
Proof.
move=> c0; elim: x => [|a x IH] /=; constructor=> //.
by have := @shiftr_range a c c0; rewrite ones_E //; lia.
Qed.

(* The layers one above the other                                             *)

Lemma flatten_reshape (T : Type) ns (s : seq T) :
  (size s <= sumn ns)%N -> flatten (reshape ns s) = s.
Proof.
elim: ns s => [|n ns IH] s /=; first by rewrite leqn0 => /nilP.
by move=> s_n; rewrite IH ?cat_take_drop // size_drop leq_subLR.
Qed.

Lemma near_size c e a h : near c e a h -> size a = size h.
Proof. by elim=> //= x y a' h' _ _ ->. Qed.

Section Layer.

Variables (d : nat) (c e : Z) (hint_ : hint) (a h : seq Z).
Hypotheses (c0 : 0 <= c) (e0 : 0 <= e) (ok : proper_hint hint_).
Hypotheses (a_d : size a = d) (ah : near c e a h).
Hypothesis aA : all (fun v => Z.leb (Z.abs v) (bound hint_)) a.

Let q := cut hint_.
Let exact (u : unit_flag) := zdot u.1.2 u.1.1 h.

Lemma groups_off uss gs : each (group_of d c e hint_) uss = Some gs ->
  all (fun gz : group * Z => all_off gz.1 gz.2) [seq (g, sum_at a g) | g <- gs] ->
  forall u, List.In u (flatten uss) -> u.2 -> exact u <= 0.
Proof.
elim: uss gs => [//|us uss IH] gs /=; case gE: group_of => [g|//].
case E: (each _ uss) => [gs'|//] [<-] /= /andP[now rest] u u_in u2.
case: (List.in_app_or _ _ _ u_in) => [u_us|u_uss]; last exact: (IH gs' E rest u u_uss u2).
exact: (offP c0 e0 ok a_d ah aA gE now u_us u2).
Qed.

Lemma groups_near uss gs p e' : each (group_of d c e hint_) uss = Some gs ->
  zero p = half (slot hint_) -> dropped p = lost hint_ ->
  (forall u, List.In u (flatten uss) ->
    off_by c e (bound hint_) q u.1 + Z.shiftl (Z.ones (lost hint_)) (c + q) <= e') ->
  near (c + q + lost hint_) e'
    (flatten [seq values_of p gz.1 gz.2 | gz : group * Z <- [seq (g, sum_at a g) | g <- gs]])
    [seq zrelu (exact u) | u <- flatten uss].
Proof.
move=> + zero_p lost_p; elim: uss gs => [|us uss IH] gs /=; first by move=> [<-] _; constructor.
case gE: group_of => [g|//]; case E: (each _ uss) => [gs'|//] [<-] far /=.
rewrite map_cat; apply: List.Forall2_app.
  apply: (valuesP c0 e0 ok a_d ah aA gE zero_p lost_p) => u u_us.
  by apply: far; apply: List.in_or_app; left.
by apply: IH => // u u_in; apply: far; apply: List.in_or_app; right.
Qed.

End Layer.

Lemma flagged_fst J l : map fst (flagged J l) = l.
Proof. by elim: l J => [//|u l IH] J /=; rewrite IH. Qed.

Lemma flagged_in J l j : nth false J j -> (j < size l)%N ->
  List.In (nth ([::], 0) l j, true) (flagged J l).
Proof.
elim: l J j => [//|u l IH] J [|j] /=; first by case: J => //= b J ->; left.
by move=> Jj j_l; right; apply: IH; rewrite ?nth_behead.
Qed.

Lemma in_filter (T : Type) (P : pred T) s x : List.In x s -> P x -> List.In x (filter P s).
Proof.
elim: s => [//|y s IH] /= [<- Py|x_s Px]; first by rewrite Py; left.
by case: (P y); [right|]; apply: IH.
Qed.

Lemma farthest (T : Type) (f : T -> Z) s u : List.In u s -> f u <= foldr (fun v => Z.max (f v)) 0 s.
Proof. by elim: s => [//|v s IH] /= [<-|/IH]; lia. Qed.

Lemma farthest_ge0 (T : Type) (f : T -> Z) s : 0 <= foldr (fun v => Z.max (f v)) 0 s.
Proof. by elim: s => [|v s IH] /=; lia. Qed.

Lemma surelyP hs d c e zs Js ps a h : 0 <= c -> 0 <= e -> prepare d c e hs zs Js = Some ps ->
    size a = d -> near c e a h -> surely ps a ->
  forall k j, (k < size hs)%N -> nth false (nth [::] Js k) j ->
  nth 0 (zforward (take k.+1 zs) h) j = 0.
Proof.
elim: hs d c e zs Js ps a h => [//|hint_ hs IH] d c e [//|l zs] Js ps a h c0 e0 /=.
set us := if _ is [::] then _ else _.
case: ifP => // /andP[ok us_n]; case E: (each _ _) => [gs|//]; case F: prepare => [more|//] [<-].
move=> a_d ah /=; case: ifP => // aA; case: ifP => // off rest k j k_hs jJ.
have all_us : flatten (reshape (sizes hint_) us) = us by apply: flatten_reshape.
case: k jJ k_hs => [jJ _|k jJ k_hs].
  rewrite take0 /=; have [j_l|l_j] := ltnP j (size l); last by rewrite nth_default // !size_map.
  have u_in : List.In (nth ([::], 0) l j, true) us.
    have := flagged_in (_ : nth false (head [::] Js) j) j_l; rewrite -nth0 => /(_ jJ) u_in.
    rewrite /us.
    by case: (hs) => [|_ _] //; apply: in_filter.
  have := groups_off c0 e0 ok a_d ah aA E off (u := (nth ([::], 0) l j, true)).
  rewrite all_us => /(_ u_in isT) /= low.
  by rewrite (nth_map 0) ?size_map // (nth_map ([::], 0)) // /zrelu; lia.
have usE : us = flagged (head [::] Js) l by rewrite /us; case: (hs) k_hs.
have hE : map zrelu (zaffine l h) = [seq zrelu (zdot u.1.2 u.1.1 h) | u : unit_flag <- us].
  by rewrite usE -{1}(flagged_fst (head [::] Js) l) /zaffine -!map_comp.
have [q0 t0] : 0 <= cut hint_ /\ 0 <= lost hint_ by case/and4P: ok => _ /Z.leb_spec0 ? /Z.leb_spec0.
set far := foldr _ _ _ in F.
pose e' := far + Z.shiftl (Z.ones (lost hint_)) (c + cut hint_).
have t1 : 0 <= Z.shiftl (Z.ones (lost hint_)) (c + cut hint_).
  rewrite shiftl_E ?ones_E; try lia.
  have : 0 < 2 ^ lost hint_ by apply: Z.pow_pos_nonneg.
  have : 0 < 2 ^ (c + cut hint_) by apply: Z.pow_pos_nonneg; lia.
  nia.
have far0 : 0 <= far by apply: farthest_ge0.
have := groups_near (p := Packed gs (half (slot hint_)) (bound hint_) (lost hint_)) (e' := e')
  c0 e0 ok a_d ah aA E erefl erefl.
rewrite all_us -hE => near_next.
have {}near_next := near_next _.
have next : near (c + cut hint_ + lost hint_) e' (flatten [seq values_of
    (Packed gs (half (slot hint_)) (bound hint_) (lost hint_)) gz.1 gz.2
    | gz : group * Z <- [seq (g, sum_at a g) | g <- gs]]) (map zrelu (zaffine l h)).
  apply: near_next => u u_in.
  have := farthest (f := fun u : unit_flag => off_by c e (bound hint_) (cut hint_) u.1) u_in.
  by rewrite -/far /e'; lia.
rewrite [take _ _]/= [zforward _ _]/= -/(zforward (take k.+1 zs) (map zrelu (zaffine l h))).
have c1 : 0 <= c + cut hint_ + lost hint_ by lia.
have e1 : 0 <= e' by rewrite /e'; lia.
have l_n : size (flatten [seq values_of
    (Packed gs (half (slot hint_)) (bound hint_) (lost hint_)) gz.1 gz.2
    | gz : group * Z <- [seq (g, sum_at a g) | g <- gs]]) = size l.
  by rewrite (near_size next) !size_map.
apply: (IH _ _ _ _ _ _ _ _ c1 e1 F l_n next) k_hs _; last by rewrite nth_behead.
by move: rest; case: (more) F => [|p qs] //; case: (hs) k_hs => [//|h1 hs1] _ /=;
  case: (zs) => [//|? ?]; case: ifP => // _; case: (each _ _) => [?|//]; case: prepare.
Qed.
