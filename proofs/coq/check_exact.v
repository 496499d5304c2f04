(******************************************************************************)
(* What a net computes on a part of a box, exactly: an affine function of the *)
(* inputs, where the signs of all units that matter are known, or where units *)
(* of unknown sign cancel. Units whose pre-activations are multiples of one   *)
(* function g make no kink if the weights times the sizes of the factors sum  *)
(* to 0, because 2 relu (s g) = s g + |s| |g|.                                *)
(*                                                                            *)
(*       pins == values that are known, over one denominator; the others are  *)
(*           free                                                             *)
(*  fixed box == those that the box fixes; muted us: of units that are off    *)
(* direction P wb == what enters a unit, up to one factor for the layer: a    *)
(*           number and the weights of what is free                           *)
(*     bundle == a multiple of such functions, its factor, and the sum of the *)
(*           weights times the sizes of the factors                           *)
(* unbent l P us f == a form in what enters the layer l that is f in what it  *)
(*           sends                                                            *)
(* exact box net known k f == f of the k-th hidden layer, as a form in the    *)
(*           inputs that the box does not fix                                 *)
(*     flat f == no input plays a part in f                                   *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ ring.
From absence Require Import net compute check_nets check_deep check_integers check_forms
  check_relaxed.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Local Notation llayer := check_deep.layer.

(* Exact forms: values that are known, over one denominator                   *)

Definition pins := (positive * seq (option Z))%type.

Definition fixed (box : seq range) : pins :=
  let G := commons (ends box) in
  (G, [seq if Qeq_bool r.1 r.2 then Some (whole G r.1) else None | r <- box]).

Definition muted (us : seq about) : pins :=
  (xH, [seq if on_off u is Some false then Some Z0 else None | u <- us]).

Definition pinned (box : seq range) (known : seq (seq about)) (k : nat) : pins :=
  if k is k'.+1 then muted (nth [::] known k') else fixed box.

(* G c . h as free_part . h plus a number.                                    *)
Fixpoint free_part (G : positive) (ps : seq (option Z)) (c : seq Z) : seq Z :=
  if c is a :: c' then
    (if head None ps is Some _ then Z0 else Z.mul a (Zpos G)) :: free_part G (behead ps) c'
  else [::].

Fixpoint pin_part (ps : seq (option Z)) (c : seq Z) : Z :=
  if c is a :: c' then
    Z.add (if head None ps is Some z then Z.mul a z else Z0) (pin_part (behead ps) c')
  else Z0.

Definition direction (P : pins) (wb : seq Z * Z) : seq Z :=
  Z.add (Z.mul wb.2 (Zpos P.1)) (pin_part P.2 wb.1) :: free_part P.1 P.2 wb.1.

Fixpoint lead (v : seq Z) : Z :=
  if v is a :: v' then (if Z.eqb a Z0 then lead v' else a) else Zpos xH.

Fixpoint parallel (a b : Z) (v r : seq Z) : bool :=
  match v, r with
  | x :: v', y :: r' => if Z.eqb (Z.mul x b) (Z.mul y a) then parallel a b v' r' else false
  | [::], [::] => true
  | _, _ => false
  end.

Definition bundle := (seq Z * Z * Z)%type.

Fixpoint bundled (v : seq Z) (a t : Z) (gs : seq bundle) : seq bundle :=
  if gs is g :: gs' then
    if ~~ Z.eqb g.1.2 Z0 && parallel a g.1.2 v g.1.1 then (g.1, Z.add g.2 t) :: gs'
    else g :: bundled v a t gs'
  else [:: (v, a, t)].

(* Twice the weights of the pre-activations, and the bundles that are left.   *)
Fixpoint straight (P : pins) (rows : llayer Z) (cs : seq Z) (us : seq about) (gs : seq bundle) :
    seq Z * seq bundle :=
  if rows is wb :: rows' then
    let c := head Z0 cs in
    let go := straight P rows' (behead cs) (behead us) in
    if Z.eqb c Z0 then (let r := go gs in (Z0 :: r.1, r.2)) else
    match on_off (head unknown us) with
    | Some true => let r := go gs in (Z.mul 2 c :: r.1, r.2)
    | Some false => let r := go gs in (Z0 :: r.1, r.2)
    | None =>
      let v := direction P wb in
      let a := lead v in
      let r := go (bundled v a (Z.mul c (Z.abs a)) gs) in (c :: r.1, r.2)
    end
  else ([::], gs).

Definition unbent (l : zlayer) (P : pins) (us : seq about) (f : form) : option form :=
  let r := straight P l.2 (coefs f) us [::] in
  if all (fun g : bundle => Z.eqb g.2 Z0) r.2 then
    Some (through l r.1 (Pos.mul (denom f) 2) (rest f))
  else None.

Definition freed (P : pins) (f : form) : form :=
  let D := Pos.mul (denom f) P.1 in
  Form (free_part P.1 P.2 (coefs f)) D (qadd (rest f) (Qmake (pin_part P.2 (coefs f)) D)).

Fixpoint exact (box : seq range) (net : seq zlayer) (known : seq (seq about)) (k : nat)
    (f : form) : option form :=
  if k is k'.+1 then
    if unbent (nth zlayer0 net k') (pinned box known k') (nth [::] known k') f is Some g then
      exact box net known k' g
    else None
  else Some (freed (fixed box) f).

Definition flat (f : form) := all (Z.eqb Z0) (coefs f).

Local Open Scope ring_scope.

Section Correct.

Variable R : realFieldType.
Local Notation zr := (zr R).
Local Notation zp := (zp R).
Local Notation ratio := (ratio R).
Local Arguments int_of_Z : simpl never.
Local Arguments Z.mul : simpl never.
Local Arguments Z.add : simpl never.

Definition at_pins (P : pins) (h : seq R) :=
  forall i z, nth None P.2 i = Some z -> zp P.1 * nth 0 h i = zr z.

Lemma freeP P c h : at_pins P h ->
  zp P.1 * rdot c h = rdot (free_part P.1 P.2 c) h + zr (pin_part P.2 c).
Proof.
case: P => G ps /=; elim: c ps h => [|a c IH] ps h at_h /=; first by rewrite mulr0 zr0 addr0.
have at0 := at_h 0%N; have at_tl : at_pins (G, behead ps) (behead h).
  by move=> i z /=; rewrite !nth_behead; apply: at_h.
have := IH _ _ at_tl; case: h {at_h IH at_tl} at0 => [|t h] /= at0.
  rewrite !rdot_nil mulr0 !add0r => e; rewrite zrD -e addr0.
  rewrite -nth0; case E: (nth None ps 0) => [z|//].
  by rewrite zrM -(at0 z E) !mulr0.
rewrite mulrDr => ->; rewrite zrD addrACA; congr (_ + _); rewrite -nth0.
case E: (nth None ps 0) => [z|]; last by rewrite zrM addr0 mulrCA mulrA.
by rewrite zr0 mul0r add0r zrM -(at0 z E) mulrCA.
Qed.

Lemma fixedP box (x : seq R) : within_box box x -> at_pins (fixed box) x.
Proof.
rewrite /fixed /within_box => /andP[/eqP size_x /all_nthP ok] i z /=.
have [ge|lt] := leqP (size box) i; first by rewrite nth_default ?size_map.
rewrite (nth_map (Q0, Q0)) //; case: ifP => // same [<-].
have := ok ((Q0, Q0), 0) i; rewrite size_zip size_x minnn => /(_ lt).
rewrite nth_zip //= => /andP[lo hi]; have := commons_all (ends box).
rewrite all_cat => /andP[/(all_nthP Q0)/(_ i)]; rewrite size_map (nth_map (Q0, Q0)) // => /(_ lt) div _.
rewrite wholeE //; congr (_ * _); apply/eqP; rewrite eq_le lo andbT.
by move: same; rewrite -(ratioP R) => /eqP->.
Qed.

Lemma mutedP net known (x : seq R) k : part net known x ->
  at_pins (muted (nth [::] known k)) (posts net k.+1 x).
Proof.
move=> ok i z /=; have [ge|lt] := leqP (size (nth [::] known k)) i.
  by rewrite nth_default ?size_map.
rewrite (nth_map unknown) //; case E: on_off => [[]|] //= [<-]; rewrite zr0.
have := on_offP (ok k i) E => /= p0; set ps := pres _ _ in p0 *.
have [ge|lt'] := leqP (size ps) i; first by rewrite nth_default ?mulr0 // size_map.
by rewrite /sends (nth_map 0) // relu_0 ?mulr0.
Qed.

Lemma pinnedP box net known (x : seq R) k : part net known x -> within_box box x ->
  at_pins (pinned box known k) (posts net k x).
Proof. by case: k => [|k] ok in_box; [apply: fixedP|apply: mutedP]. Qed.

(* What a direction is of, and the multiples of one                           *)
Definition along (v : seq Z) (h : seq R) : R := zr (head Z0 v) + rdot (behead v) h.

Lemma along_direction P wb h : at_pins P h ->
  along (direction P wb) h = zp P.1 * (rdot wb.1 h + zr wb.2).
Proof.
move=> ok; rewrite mulrDr (freeP _ ok) /along /= zrD zrM -/(zp P.1).
by move: (zr wb.2) (zp _) (zr _) (rdot _ h) => p q r t; ring.
Qed.

Lemma parallelP a b v r h : parallel a b v r -> along v h * zr b = along r h * zr a.
Proof.
have rdot_par v' r' h' : parallel a b v' r' -> rdot v' h' * zr b = rdot r' h' * zr a.
  elim: v' r' h' => [|x v' IH] [|y r'] [|t h'] //=; rewrite ?mul0r //.
  case: Z.eqb_spec => // xy /IH par; rewrite !mulrDl par; congr (_ + _).
  by rewrite mulrAC -zrM xy zrM mulrAC.
case: v r => [|x v] [|y r] //=; first by rewrite /along /= zr0 addr0 !mul0r.
case: Z.eqb_spec => // xy /rdot_par par.
by rewrite /along /= !mulrDl par -!zrM xy.
Qed.

Lemma lead_neq0 v : zr (lead v) != 0.
Proof.
elim: v => [|a v IH] /=; first by rewrite zr1 oner_eq0.
by case: Z.eqb_spec => // a0; apply/eqP; rewrite -(zr0 R) => /zr_inj.
Qed.

Definition weight (gs : seq bundle) (h : seq R) : R :=
  \sum_(g <- gs) zr g.2 * `|along g.1.1 h / zr g.1.2|.

Lemma bundledP v a t gs h : zr a != 0 ->
  weight (bundled v a t gs) h = weight gs h + zr t * `|along v h / zr a|.
Proof.
move=> a0; rewrite /weight; elim: gs => [|g gs IH] /=; first by rewrite big_seq1 big_nil add0r.
case: ifP => [/andP[/Z.eqb_spec b0 par]|_]; rewrite !big_cons.
  have b0' : zr g.1.2 != 0 by apply/eqP; rewrite -(zr0 R) => /zr_inj.
  have -> : along v h / zr a = along g.1.1 h / zr g.1.2.
    by apply/eqP; rewrite eqr_div // (parallelP h par).
  by rewrite /= zrD mulrDl addrAC.
by rewrite IH addrA.
Qed.

Lemma twice_relu (p : R) : 2%:R * relu p = p + `|p|.
Proof.
have [p0|p0] := leP 0 p; first by rewrite relu_id // ger0_norm // mulr_natl.
by rewrite relu_0 ?(ltW p0) // ltr0_norm // mulr0 subrr.
Qed.

Lemma zr_abs a : zr (Z.abs a) = `|zr a|.
Proof.
case: a => [|p|p] /=; first by rewrite zr0 normr0.
  by rewrite gtr0_norm // (zp_gt0 R p).
by rewrite -Pos2Z.opp_pos zrN normrN gtr0_norm // (zp_gt0 R p).
Qed.

Lemma zr2 : zr 2 = 2%:R.
Proof. by []. Qed.

Lemma straightP l P rows cs us gs h : at_pins P h ->
    (forall j, good (nth unknown us j) (nth 0 (map (pre l h) rows) j)) ->
  2%:R * rdot cs (map (@relu R) (map (pre l h) rows))
  = rdot (straight P rows cs us gs).1 (map (pre l h) rows)
    + (weight (straight P rows cs us gs).2 h - weight gs h) / (zp l.1 * zp P.1).
Proof.
move=> ok; elim: rows cs us gs => [|wb rows IH] cs us gs good_us /=.
  by rewrite !rdot_nil mulr0 subrr mul0r addr0.
have good_tl j : good (nth unknown (behead us) j) (nth 0 (map (pre l h) rows) j).
  by rewrite nth_behead; apply: (good_us j.+1).
have {}IH gs' := IH (behead cs) (behead us) gs' good_tl.
have := good_us 0%N; rewrite /= nth0 => good0; rewrite rdot_head mulrDr.
case: Z.eqb_spec => [->|_]; first by rewrite (IH gs) /= zr0 !mul0r mulr0 !add0r.
case E: on_off => [[]|] /=; have := on_offP good0.
- by move=> /(_ _ E) p0; rewrite (IH gs) relu_id // zrM zr2 -addrA mulrA.
- by move=> /(_ _ E) p0; rewrite (IH gs) relu_0 // zr0 mul0r !mulr0 !add0r.
move=> _; set v := direction P wb; set gs' := bundled _ _ _ _; rewrite (IH gs').
rewrite mulrCA twice_relu; set p := pre l h wb.
rewrite (bundledP _ _ _ h (lead_neq0 v)).
have along_v : along v h = p * (zp l.1 * zp P.1).
  by rewrite along_direction // /p /pre; have := zp_neq0 R l.1; move: (zp _) => e e0; field.
have -> : zr (Z.mul (head Z0 cs) (Z.abs (lead v))) * `|along v h / zr (lead v)|
    = zr (head Z0 cs) * `|p| * (zp l.1 * zp P.1).
  rewrite zrM zr_abs normrM normfV along_v normrM [`|_ * zp P.1|]gtr0_norm ?mulr_gt0 ?zp_gt0 //.
  have := lead_neq0 v; rewrite -normr_eq0; move: (zr (head _ _)) (_ * zp _) `|p| `|zr (lead v)| => a b c e e0.
  by field.
have D0 : zp l.1 * zp P.1 != 0 by rewrite mulf_neq0 ?zp_neq0.
move: (weight gs h) (weight _ h) (rdot _ _) `|p| (zr _) => w w' r q c.
by move: (_ * zp _) D0 => e e0; field.
Qed.

Lemma unbentP l P us f g h : at_pins P h -> unbent l P us f = Some g ->
    (forall j, good (nth unknown us j) (nth 0 (pres l h) j)) ->
  fvalue f (sends l h) = fvalue g h.
Proof.
move=> ok; rewrite /unbent; case: ifP => // /allP none [<-] good_us.
have := straightP (coefs f) [::] ok good_us; set r := straight _ _ _ _ _ in none *.
have -> : weight r.2 h = 0.
  rewrite /weight big_seq big1 // => b /none/Z.eqb_spec->; exact: mul0r.
rewrite /weight big_nil subrr mul0r addr0 => twice.
rewrite throughP zpM /fvalue -twice -[zp 2]/(2%:R); congr (_ + _).
have n2 : 2%:R != 0 :> R by rewrite pnatr_eq0.
by have := zp_neq0 R (denom f); move: (zp _) (rdot _ _) => a b a0; field; rewrite a0.
Qed.

Lemma freedP P f h : at_pins P h -> fvalue (freed P f) h = fvalue f h.
Proof.
move=> ok; rewrite /fvalue /freed /= ratio_add ratioE zpM.
have -> : rdot (coefs f) h
    = (rdot (free_part P.1 P.2 (coefs f)) h + zr (pin_part P.2 (coefs f))) / zp P.1.
  by rewrite -(freeP _ ok) mulrAC divff ?mul1r ?zp_neq0.
have := zp_neq0 R P.1; have := zp_neq0 R (denom f).
move: (zp P.1) (zp _) (rdot _ h) (zr _) (ratio _) => a b c p q b0 a0.
by field; rewrite a0 b0.
Qed.

Lemma exactP box net known k f g (x : seq R) : part net known x -> within_box box x ->
  exact box net known k f = Some g -> fvalue f (posts net k x) = fvalue g x.
Proof.
move=> ok in_box; elim: k f => [|k IH] f /=.
  by move=> [<-]; rewrite freedP //; apply: fixedP.
case E: unbent => [f'|//] /IH <-; apply: unbentP E (ok k); exact: pinnedP.
Qed.


End Correct.
