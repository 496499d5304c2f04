(******************************************************************************)
(* Upper bounds of what a net computes on a part of a box: a form is handed   *)
(* down from layer to layer, relu replaced by lines above and below it, until *)
(* it is one of the inputs.                                                   *)
(*                                                                            *)
(*  about == what is known of a pre-activation: a sign, bounds, and the slope *)
(*           of a line above its relu; good R u p: it is so of p              *)
(* on_off u == the sign that follows: true is >= 0, false is <= 0             *)
(*   dual == the slope of a line below relu, and a multiplier of the sign     *)
(* relaxed l us ds f == a form in what enters the layer l that is at least f  *)
(*           in what l sends                                                  *)
(*   within_box R box x == x lies in the box                                  *)
(* largest f box == the largest value of f on a box                           *)
(* above box net known k ds f == an upper bound of f of the k-th hidden layer *)
(* part R net known x == what is known is so at the input x                   *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ ring.
From absence Require Import net compute check_nets check_deep check_integers check_forms.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

(* What is known of units                                                     *)

Record about := About { sign : option bool; low : option Q; high : option Q; slope : Q }.

Definition unknown := About None None None Q0.

Definition holds_of (f : Q -> bool) (o : option Q) := if o is Some q then f q else false.

Definition on_off (u : about) : option bool :=
  if sign u is Some false then Some false else
  if holds_of nonpos (high u) then Some false else
  if sign u is Some true then Some true else
  if holds_of nonneg (low u) then Some true else None.

Definition is_share (q : Q) := nonneg q && Qle_bool q Q1.

(* A slope of the line below relu, and a multiplier of the sign.              *)
Definition dual := (option Q * option Q)%type.

Definition steep (u : about) : Q :=
  if high u is Some h then (if low u is Some l then
    (if Qle_bool h (Qopp l) then Q0 else Q1) else Q0) else Q0.

(* Slope and height of a line with c relu p <= c (slope p + height).          *)
Definition line (c : Z) (u : about) (a : option Q) : option (Q * Q) :=
  if on_off u is Some s then Some (if s then Q1 else Q0, Q0) else
  if Z.eqb c Z0 then Some (Q0, Q0) else
  if Z.ltb Z0 c then
    if low u is Some l then
      (if high u is Some h then
        Some (slope u, qmax (Qopp (Qmult (slope u) l)) (Qmult (qtake Q1 (slope u)) h)) else None)
    else None
  else Some (if a is Some q then q else steep u, Q0).

Definition extra (u : about) (b : option Q) : option Q :=
  if b is Some q then
    if nonneg q then (if on_off u is Some s then Some (if s then q else Qopp q) else None)
    else None
  else Some Q0.

Definition bend (c : Z) (u : about) (d : dual) : option (Q * Q * Q) :=
  if (if d.1 is Some a then is_share a else true) then
    if line c u d.1 is Some sh then
      (if extra u d.2 is Some e then Some (sh, e) else None) else None
  else None.

Fixpoint bends (n : nat) (cs : seq Z) (us : seq about) (ds : seq dual) :
    option (seq (Q * Q * Q)) :=
  if n is n'.+1 then
    if bend (head Z0 cs) (head unknown us) (head (None, None) ds) is Some b then
      (if bends n' (behead cs) (behead us) (behead ds) is Some bs then Some (b :: bs) else None)
    else None
  else Some [::].

Fixpoint lines (D G : positive) (cs : seq Z) (bs : seq (Q * Q * Q)) : seq Z :=
  if bs is b :: bs' then
    Z.add (Z.mul (head Z0 cs) (whole G b.1.1)) (Z.mul (Zpos D) (whole G b.2))
      :: lines D G (behead cs) bs'
  else [::].

Fixpoint lift (H : positive) (cs : seq Z) (bs : seq (Q * Q * Q)) : Z :=
  if bs is b :: bs' then
    Z.add (Z.mul (head Z0 cs) (whole H b.1.2)) (lift H (behead cs) bs')
  else Z0.

Definition relaxed (l : zlayer) (us : seq about) (ds : seq dual) (f : form) : option form :=
  if bends (size l.2) (coefs f) us ds is Some bs then
    let G := commons (map (fun b => b.1.1) bs ++ map snd bs) in
    let H := commons (map (fun b => b.1.2) bs) in
    let D := denom f in
    Some (through l (lines D G (coefs f) bs) (Pos.mul D G)
      (qadd (rest f) (Qmake (lift H (coefs f) bs) (Pos.mul D H))))
  else None.

(* Boxes                                                                      *)

Definition range := (Q * Q)%type.

Definition ends (box : seq range) := map fst box ++ map snd box.

Fixpoint corner (G : positive) (c : seq Z) (box : seq range) : Z :=
  match c, box with
  | a :: c', r :: box' =>
    Z.add (Z.mul a (whole G (if Z.ltb Z0 a then r.2 else r.1))) (corner G c' box')
  | _, _ => Z0
  end.

Definition largest (f : form) (box : seq range) : Q :=
  let G := commons (ends box) in
  qadd (rest f) (Qmake (corner G (coefs f) box) (Pos.mul (denom f) G)).

Fixpoint above (box : seq range) (net : seq zlayer) (known : seq (seq about)) (k : nat)
    (ds : seq (seq dual)) (f : form) : option Q :=
  if k is k'.+1 then
    if relaxed (nth zlayer0 net k') (nth [::] known k') (nth [::] ds k') f is Some g then
      above box net known k' ds g
    else None
  else Some (largest f box).

Local Open Scope ring_scope.

Section Correct.

Variable R : realFieldType.
Local Notation zr := (zr R).
Local Notation zp := (zp R).
Local Notation ratio := (ratio R).
Local Arguments int_of_Z : simpl never.
Local Arguments Z.mul : simpl never.
Local Arguments Z.add : simpl never.

Definition good (u : about) (p : R) :=
  [&& if sign u is Some s then (if s then 0 <= p else p <= 0) else true,
      if low u is Some q then ratio q <= p else true,
      if high u is Some q then p <= ratio q else true
    & is_share (slope u)].

Definition part (net : seq zlayer) (known : seq (seq about)) (x : seq R) :=
  forall k j, good (nth unknown (nth [::] known k) j)
    (nth 0 (pres (nth zlayer0 net k) (posts net k x)) j).

Definition within_box (box : seq range) (x : seq R) :=
  (size x == size box)
  && all (fun p : range * R => (ratio p.1.1 <= p.2) && (p.2 <= ratio p.1.2)) (zip box x).

Lemma good_unknown p : good unknown p.
Proof. by []. Qed.

Lemma on_offP u p s : good u p -> on_off u = Some s -> if s then 0 <= p else p <= 0.
Proof.
case/and4P; rewrite /on_off; case: (sign u) => [[]|] sgn lo hi _ //=; last 2 first.
- by move=> [<-].
- case: (high u) hi => [h|] /= hi; last first.
    case: (low u) lo => [l|] //= lo; case: ifP => // l0 [<-].
    by apply: le_trans lo; rewrite ratio_nonneg.
  case: ifP => [h0 [<-]|_].
    by apply: le_trans hi _; rewrite ratio_nonpos.
  case: (low u) lo => [l|] //= lo; case: ifP => // l0 [<-].
  by apply: le_trans lo; rewrite ratio_nonneg.
case: (high u) hi => [h|] /= hi; last by move=> [<-].
case: ifP => [h0 [<-]|_]; last by move=> [<-].
by apply: le_trans hi _; rewrite ratio_nonpos.
Qed.

Lemma shareP q : is_share q -> 0 <= ratio q /\ ratio q <= 1.
Proof. by case/andP; rewrite -(ratio_nonneg R) -(ratio_le R) ratio1. Qed.

Lemma relu_below (p a : R) : 0 <= a <= 1 -> a * p <= relu p.
Proof.
case/andP=> a0 a1; rewrite /relu le_max; have [p0|p0] := leP 0 p.
  by rewrite ler_piMl ?orbT.
by rewrite mulr_ge0_le0 // ltW.
Qed.

(* A line that is above relu at both ends of an interval is above it between. *)
Lemma relu_above (p l h s : R) : l <= p -> p <= h -> 0 <= s -> s <= 1 ->
  relu p <= s * p + Num.max (- (s * l)) ((1 - s) * h).
Proof.
move=> lp ph s0 s1; rewrite /relu ge_max -!lerBlDl !le_max sub0r lerN2.
rewrite ler_wpM2l //=; apply/orP; right.
have -> : p - s * p = (1 - s) * p by rewrite mulrBl mul1r.
by rewrite ler_wpM2l // subr_ge0.
Qed.

Lemma steep_share u : 0 <= ratio (steep u) <= 1.
Proof.
rewrite /steep; case: (high u) => [h|]; case: (low u) => [l|]; rewrite ?ratio0 ?lexx ?ler01 //.
by case: ifP; rewrite ?ratio0 ?ratio1 ?lexx ?ler01.
Qed.

Lemma bendP c u d s h e p : good u p -> bend c u d = Some (s, h, e) ->
  zr c * relu p <= zr c * (ratio s * p + ratio h) /\ 0 <= ratio e * p.
Proof.
move=> ok; rewrite /bend; case: d => a b /=.
case shareA: (if a is Some q then is_share q else true) => //.
case lineE: line => [[s' h']|//]; case extraE: extra => [e'|//] [<- <- <-] {s h e}.
split; last first.
  move: extraE; rewrite /extra; case: b => [q|[<-]]; last by rewrite ratio0 mul0r.
  case: ifP => // q0; case E: on_off => [[]|] // [<-]; have := on_offP ok E => /= p0.
    by rewrite mulr_ge0 // ratio_nonneg.
  by rewrite ratio_opp mulNr -mulrN mulr_ge0 ?ratio_nonneg // oppr_ge0.
move: lineE; rewrite /line; case E: on_off => [o|].
  have := on_offP ok E; case: o {E} => p0 [<- <-]; rewrite ratio0 addr0.
    by rewrite relu_id // ratio1 mul1r.
  by rewrite relu_0 // mul0r.
case: Z.eqb_spec => [-> _|c0]; first by rewrite zr0 !mul0r.
case: ifP => [c_gt0|c_le0].
  case lo: (low u) => [l|//]; case hi: (high u) => [h|//] [<- <-].
  case/and4P: ok => _; rewrite lo hi => lp ph /shareP[s0 s1].
  have c_ge0 : 0 <= zr c by rewrite ltW // zr_gt0.
  rewrite ler_wpM2l // ratio_max ratio_opp !ratio_mult ratio_take ratio1.
  exact: relu_above.
move=> [<- <-]; rewrite ratio0 addr0 ler_wnM2l //.
  by rewrite leNgt zr_gt0 c_le0.
apply: relu_below; case: a shareA => [a /shareP[-> ->] //|_]; exact: steep_share.
Qed.

Lemma rdot_head c t (h : seq R) : rdot c (t :: h) = zr (head Z0 c) * t + rdot (behead c) h.
Proof. by case: c => [|a c] /=; rewrite ?zr0 ?mul0r ?add0r. Qed.

Lemma bendsP D G H ps cs us ds bs : bends (size ps) cs us ds = Some bs ->
    (forall j, good (nth unknown us j) (nth 0 ps j)) ->
    all (fun q => divides (Qden q) G) (map (fun b => b.1.1) bs) ->
    all (fun q => divides (Qden q) G) (map snd bs) ->
    all (fun q => divides (Qden q) H) (map (fun b => b.1.2) bs) ->
  rdot cs (map (@relu R) ps) / zp D
  <= rdot (lines D G cs bs) ps / (zp D * zp G) + zr (lift H cs bs) / (zp D * zp H).
Proof.
elim: ps cs us ds bs => [|p ps IH] cs us ds bs /=.
  by move=> [<-]; rewrite !rdot_nil /= !mul0r addr0.
case E: bend => [[[s h] e]|//]; case F: bends => [bs'|//] [<-] ok /=.
case/andP=> sG sGs /andP[eG eGs] /andP[hH hHs].
have ok' j : good (nth unknown (behead us) j) (nth 0 ps j).
  by rewrite nth_behead; apply: (ok j.+1).
have := IH _ _ _ _ F ok' sGs eGs hHs.
have ok0 : good (head unknown us) p by have := ok 0%N; rewrite /= nth0.
have [up ex] := bendP ok0 E.
rewrite rdot_head !zrD !zrM !wholeE // -/(zp D); move: up ex.
have := zp_gt0 R D; have := zp_gt0 R G; have := zp_gt0 R H.
move: (zr (head _ _)) (relu p) (ratio s) (ratio h) (ratio e) (zp D) (zp G) (zp H) (zr (lift _ _ _)).
move=> c r a b x d g f t f0 g0 d0 up ex rest.
have -> : (c * r + rdot (behead cs) (map (@relu R) ps)) / d
  = c * r / d + rdot (behead cs) (map (@relu R) ps) / d by rewrite mulrDl.
have -> : ((c * (g * a) + d * (g * x)) * p + rdot (lines D G (behead cs) bs') ps) / (d * g)
      + (c * (f * b) + t) / (d * f)
  = (c * (a * p + b) / d + x * p)
    + (rdot (lines D G (behead cs) bs') ps / (d * g) + t / (d * f)).
  by field; rewrite !gt_eqF.
apply: lerD rest; rewrite [_ + x * p]addrC; apply: ler_wpDl ex _.
by rewrite -!(mulrC d^-1) ler_wpM2l // invr_ge0 ltW.
Qed.

Lemma relaxedP l us ds f g h : relaxed l us ds f = Some g ->
    (forall j, good (nth unknown us j) (nth 0 (pres l h) j)) ->
  fvalue f (sends l h) <= fvalue g h.
Proof.
rewrite /relaxed; case E: bends => [bs|//] [<-] ok; rewrite throughP.
have divs := commons_all; set G := commons _; set H := commons _.
have := divs (map (fun b : Q * Q * Q => b.1.1) bs ++ map snd bs).
rewrite all_cat => /andP[G1 G2].
have H1 := divs (map (fun b : Q * Q * Q => b.1.2) bs).
have bsE : bends (size (pres l h)) (coefs f) us ds = Some bs by rewrite size_map.
have := bendsP (denom f) bsE ok G1 G2 H1.
rewrite /fvalue ratio_add ratioE !zpM => le.
by rewrite [ratio _ + _]addrC addrA lerD2r.
Qed.

Lemma cornerP G box c x : all (fun q => divides (Qden q) G) (ends box) -> within_box box x ->
  rdot c x <= zr (corner G c box) / zp G.
Proof.
rewrite all_cat; elim: box c x => [|r box IH] c [|t x] //=.
  by rewrite !rdot_nil; case: c => [|a c] /=; rewrite mul0r.
move=> /andP[/andP[lG lsG] /andP[hG hsG]].
rewrite /within_box /= eqSS => /andP[size_x /andP[/andP[lt th] rest]].
case: c => [|a c] /=; first by rewrite mul0r.
rewrite zrD zrM mulrDl lerD //; last by apply: IH; rewrite ?lsG ?hsG // /within_box size_x.
have G0 := zp_neq0 R G; case: ifP => a0; rewrite wholeE // mulrCA mulrAC divff // mul1r.
  by rewrite ler_wpM2l // ltW // zr_gt0.
by rewrite ler_wnM2l // leNgt zr_gt0 a0.
Qed.

Lemma largestP f box x : within_box box x -> fvalue f x <= ratio (largest f box).
Proof.
move=> in_box; rewrite /largest ratio_add ratioE zpM /fvalue addrC lerD2l.
rewrite invfM mulrA mulrAC ler_wpM2r ?invr_ge0 ?(ltW (zp_gt0 _ _)) //.
exact: cornerP (commons_all _) in_box.
Qed.

Lemma aboveP box net known k ds f x q : part net known x -> within_box box x ->
  above box net known k ds f = Some q -> fvalue f (posts net k x) <= ratio q.
Proof.
move=> ok in_box; elim: k f => [|k IH] f /=.
  by move=> [<-]; apply: largestP.
case E: relaxed => [g|//] /IH; apply: le_trans; exact: relaxedP E (ok k).
Qed.

End Correct.
