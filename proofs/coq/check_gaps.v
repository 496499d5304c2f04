(******************************************************************************)
(* Checkers of what a circuit earns: the loss without it, what one unit in    *)
(* its place would gain, the gap of inputs along a direction, and how near to *)
(* one value the circuit sends.                                               *)
(*                                                                            *)
(*   silenced m J us == the units, those that J selects send 0                *)
(*        check_rent == without J the loss is higher by rent, and that is at  *)
(*                      least gain, what the unit (w, b) would gain then      *)
(*      check_gauge d N zs w h D == gauge of c12_uniform_gap.v                *)
(*        check_gap == the gauge, its gap, and a loss that is lower by at     *)
(*                      least that part of the distance from the floor        *)
(*      check_apart == the mean square of what J sends less v is a            *)
(*  check_one_more == the units are others and one more, the shift is the same*)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_losses check_points.
From absence Require Import check_signs c12_uniform_gap.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Definition qle (a b : Q) : bool := ~~ lpos (qsub a b).

Definition silenced m (J : seq bool) (us : seq (unit Q)) :=
  [seq if p.1 then (p.2.1, nseq m Q0) else p.2 | p <- zip J us].

Definition lactivity (w : seq Q) b z := orelu Qops (height w b z).

(* s and q of C13_rent_unit.                                                  *)
Definition unit_terms us c zs ys w b : seq (Q * seq Q) :=
  [seq (lactivity w b p.1,
        lvadd Qops p.2 (map (oopp Qops) (leval Qops us c p.1)))
  | p <- zip zs ys].

Definition check_rent d m n N us c J v zs ys w b l rent gain :=
  let us0 := silenced m J us in
  let c0 := lvadd Qops c v in
  let terms := unit_terms us0 c0 zs ys w b in
  let s := lsum m [seq lscale Qops p.1 p.2 | p <- terms] in
  let q := lterms [seq (p.1, p.1) | p <- terms] in
  [&& check_loss d m n N us c zs ys l, (size J == n) && (size v == m),
      check_loss d m n N us0 c0 zs ys (oadd Qops l rent), size w == d,
      (if Qeq_bool q Q0 then Qeq_bool gain Q0 else
       Qeq_bool (omul Qops (omul Qops (qnat N) gain) q) (ldot Qops s s))
    & qle gain rent].

Definition check_gauge (d N : nat) zs w h D :=
  let at_ := [seq (ldot Qops w z, z) | z <- zs] in
  [&& sized d N zs, size w == d, lpos h
    & all (fun p => all (fun q => let t := qsub p.1 q.1 in qle t D
         && [|| lsame p.2 q.2, qle h t | qle h (oopp Qops t)]) at_) at_].

Definition check_gap N h D g :=
  let e := oadd Qops D h in
  (0 < N)%N && lpos e &&
  Qeq_bool (omul Qops h h)
    (omul Qops g (omul Qops (omul Qops (qnat 18) (omul Qops (qnat N) (qnat N)))
                            (omul Qops e e))).

Definition check_gain g l e drop := qle (omul Qops g (qsub l e)) drop.

Definition check_one_more d m n us c us' c' w b a :=
  let us1 := rcons us (w, b, a) in
  [&& fits d m n us c, size w == d, lsame c c'
    & check_off d m n.+1 us1 us' c c' (nseq n.+1 false)].

Definition check_apart d m n N us c (J : seq bool) v zs a :=
  [&& fits d m n us c, sized d N zs && (0 < N)%N, size J == n, size v == m
    & Qeq_bool (omul Qops (qnat N) a)
        (lfold [seq lsqdist Qops (lcircuit Qops m us J x) v | x <- zs])].

Local Open Scope ring_scope.

Section Correct.

Variable R : realFieldType.
Local Notation ratio := (ratio R).
Local Notation vec := (vec R).
Local Notation points := (points R).
Local Notation qnet := (qnet R).
Local Arguments int_of_Z : simpl never.

Lemma ratio_le a b : (ratio a <= ratio b) = qle a b.
Proof. by rewrite /qle -(ratio_gt0 R) ratio_sub subr_gt0 leNgt. Qed.

Section Gauge.

Variables (d N : nat) (zs : seq (seq Q)) (w : seq Q) (h D : Q).
Let z := points d N zs.

Theorem C12_check_gauge : check_gauge d N zs w h D ->
  gauge z (vec d w) (ratio h) (ratio D).
Proof.
case/and4P=> zs_d /eqP w_d; rewrite -(ratio_gt0 R) => h_gt0 pairs.
have /andP[/eqP zs_N _] := zs_d; have sizes := sized_nth zs_d.
have at_i (i : 'I_N) :
    ratio (ldot Qops w (nth [::] zs i)) = dot (vec d w) (z i).
  by rewrite -ldot_row (row_vec _ w_d) (row_vec _ (sizes i)) ldot_ratio.
have pair (i j : 'I_N) : dot (vec d w) (z i) - dot (vec d w) (z j) <= ratio D
    /\ (z i = z j \/ ratio h <= `|dot (vec d w) (z i) - dot (vec d w) (z j)|).
  have := pairs; rewrite all_map => /all_nthP-/(_ [::] i).
  rewrite zs_N ltn_ord => /(_ isT) /=; rewrite all_map.
  move=> /all_nthP-/(_ [::] j); rewrite zs_N ltn_ord => /(_ isT) /=.
  rewrite -!ratio_le ratioN ratio_sub !at_i => /andP[-> /or3P[same|le_h|le_h]].
  - by split=> //; left; apply: vec_same.
  - by split=> //; right; apply: le_trans le_h (ler_norm _).
  by split=> //; right; rewrite -normrN; apply: le_trans le_h (ler_norm _).
split=> //.
- move=> i j same; have [_ [//|]] := pair i j.
  by rewrite same subrr normr0 leNgt h_gt0.
- move=> i j; have [_ [->|//]] := pair i j; by rewrite eqxx.
move=> i j; rewrite ler_norml (proj1 (pair i j)) andbT -lerN2 opprK opprB.
exact: (proj1 (pair j i)).
Qed.

End Gauge.

Theorem C12_check_gap N h D g :
  check_gap N h D g -> ratio g = gap N (ratio h) (ratio D) :> R.
Proof.
case/andP=> /andP[N_gt0 e_gt0]; rewrite -(ratioP R) => /eqP.
rewrite !ratioM !ratio_nat !ratioD => hE; rewrite /gap expr2 hE !expr2 mulfK //.
rewrite !mulf_neq0 ?pnatr_eq0 -?lt0n //; move: e_gt0.
  by rewrite -(ratio_gt0 R) ratioD lt0r => /andP[].
by rewrite -(ratio_gt0 R) ratioD lt0r => /andP[].
Qed.

Theorem C12_check_gain g l e drop : check_gain g l e drop ->
  ratio g * (ratio l - ratio e) <= ratio drop.
Proof. by rewrite /check_gain -ratio_le ratioM ratio_sub. Qed.

Section OneMore.

Variables (d m n : nat) (us us' : seq (unit Q)) (c c' w : seq Q).
Variables (b : Q) (a : seq Q).

Theorem C12_check_one_more :
    check_one_more d m n us c us' c' w b a -> forall x,
  eval (qnet d m n.+1 us' c') x
  = eval (add_unit (qnet d m n us c) (vec d w) (ratio b) (vec m a)) x.
Proof.
case/and4P=> /and3P[_ /eqP us_n _] /eqP w_d same /(C2_check_off R) off_all x.
have eq_unit j := off_all j; rewrite eval_add_unit /eval big_ord_recr /=.
rewrite -(vec_same R m same) addrA; congr (_ + _ + _).
  apply: eq_bigr => j _.
  have [|w_j b_j a_j] := eq_unit (widen_ord (leqnSn n) j).
    by rewrite inE nth_nseq if_same.
  move: w_j b_j a_j; rewrite /act /= => -> -> ->.
  by rewrite !nth_rcons us_n ltn_ord.
have [|w_j b_j a_j] := eq_unit ord_max; first by rewrite inE nth_nseq if_same.
move: w_j b_j a_j; rewrite /act /= => -> -> ->.
by rewrite !nth_rcons us_n ltnn eqxx.
Qed.

End OneMore.

Section Rent.

Variables (d m n N : nat) (us : seq (unit Q)) (c : seq Q) (J : seq bool).
Variables (v : seq Q) (zs ys : seq (seq Q)) (w : seq Q) (b l rent gain : Q).
Let z := points d N zs.
Let y := points m N ys.
Let theta := qnet d m n us c.
Let without := hardcode theta (members n J) (vec m v).
Let us0 := silenced m J us.
Let c0 := lvadd Qops c v.

Lemma vec_lvadd k (p q : seq Q) : size p = k -> size q = k ->
  vec k (lvadd Qops p q) = vec k p + vec k q.
Proof.
move=> p_k q_k; apply: row_inj; rewrite -lvadd_row !row_vec // ?lvadd_ratio //.
by rewrite /lvadd size_map size_zip p_k q_k minnn.
Qed.

Lemma vec0 k : vec k (nseq k Q0) = 0.
Proof. by apply/rowP=> i; rewrite !mxE nth_nseq if_same ratio0. Qed.

Lemma eval_silenced x : fits d m n us c -> size J = n -> size v = m ->
  eval (qnet d m n us0 c0) x = eval without x.
Proof.
case/and3P=> /eqP c_m /eqP us_n _ J_n v_m; rewrite /eval /= vec_lvadd //.
congr (_ + _); apply: eq_bigr => j _; rewrite inE /act /=.
have -> : nth lunit0 us0 j = if nth false J j
    then ((nth lunit0 us j).1, nseq m Q0) else nth lunit0 us j.
  rewrite /us0 /silenced (nth_map (false, lunit0)) ?nth_zip ?J_n ?us_n //.
  by rewrite size_zip J_n us_n minnn.
by case: ifP => //= _; rewrite vec0.
Qed.

Lemma lactivity_correct i : size w = d -> size (nth [::] zs i) = d ->
  ratio (lactivity w b (nth [::] zs i))
  = relu (dot (vec d w) (vec d (nth [::] zs i)) + ratio b).
Proof. by move=> w_d z_d; rewrite ratio_relu (height_correct R b w_d z_d). Qed.

Theorem C13_check_rent :
    check_rent d m n N us c J v zs ys w b l rent gain ->
  let phi i := relu (dot (vec d w) (z i) + ratio b) in
  let s := \sum_i phi i *: (y i - eval without (z i)) in
  let q := \sum_i phi i ^+ 2 in
  [/\ loss z y without - loss z y theta = ratio rent,
      N%:R^-1 * (normsq s / q) = ratio gain & ratio gain <= ratio rent].
Proof.
move=> checked phi s q; move: checked; rewrite /check_rent -/us0 -/c0.
case/and5P=> lossE /andP[/eqP J_n /eqP v_m] lossE0 /eqP w_d.
set terms := unit_terms _ _ _ _ _ _; case/andP=> gainE le_gain.
have /and3P[ok data _] := lossE; have /and3P[ok0 _ _] := lossE0.
have same x : eval (qnet d m n us0 c0) x = eval without x.
  by apply: eval_silenced.
have /and3P[/sized_nth z_d /sized_nth y_m N_gt0] := data.
have phiE (i : 'I_N) : ratio (lactivity w b (nth [::] zs i)) = phi i.
  by apply: lactivity_correct; rewrite ?z_d.
have termsE : terms = map (fun i : 'I_N => (lactivity w b (nth [::] zs i),
    lvadd Qops (nth [::] ys i)
      (map (oopp Qops) (leval Qops us0 c0 (nth [::] zs i))))) (enum 'I_N).
  by rewrite /terms /unit_terms (zip_pairs data) -map_comp.
have qE : ratio (lterms [seq (p.1, p.1) | p <- terms]) = q.
  rewrite lterms_correct termsE -map_comp big_map big_enum /=.
  by apply: eq_bigr => i _; rewrite phiE expr2.
have evalE (i : 'I_N) : map ratio (leval Qops us0 c0 (nth [::] zs i))
    = row (eval without (z i)).
  by rewrite -same (row_eval R ok0 (z_d i)).
have size_eval (i : 'I_N) : size (leval Qops us0 c0 (nth [::] zs i)) = m.
  by rewrite -(size_map ratio) evalE size_map size_enum_ord.
have sE : map ratio (lsum m [seq lscale Qops p.1 p.2 | p <- terms]) = row s.
  rewrite lsum_vec; last first.
    rewrite termsE !all_map; apply/allP=> i _ /=; rewrite !size_map size_zip.
    by rewrite size_map size_eval y_m minnn.
  rewrite termsE -map_comp big_map big_enum /=; congr row.
  apply: eq_bigr => i _; have opp_m : size (map (oopp Qops)
      (leval Qops us0 c0 (nth [::] zs i))) = m by rewrite size_map.
  rewrite vec_lscale; last by rewrite size_map size_zip opp_m y_m minnn.
  rewrite phiE vec_lvadd //; congr (_ *: (_ + _)); apply: row_inj.
  rewrite row_vec //; transitivity (map -%R (row (eval without (z i)))).
    by rewrite -evalE -!map_comp; apply: eq_map => t /=; rewrite ratioN.
  by rewrite /row -map_comp; apply: eq_map => k; rewrite [RHS]mxE.
have ssE : ratio (ldot Qops (lsum m [seq lscale Qops p.1 p.2 | p <- terms])
    (lsum m [seq lscale Qops p.1 p.2 | p <- terms])) = normsq s.
  by rewrite -ldot_ratio sE ldot_row dot_normsq.
split.
- have -> : loss z y without = loss z y (qnet d m n us0 c0).
    by rewrite /loss /mse; under eq_bigr do rewrite -same.
  rewrite (C5_check_loss R lossE0) (C5_check_loss R lossE) ratioD.
  by rewrite addrC addKr.
- have N0 := N_neq0 R data; move: gainE; case: ifP => [q0|q_neq0].
    rewrite -(ratioP R) ratio0 => /eqP->; move: q0.
    by rewrite -(ratioP R) ratio0 qE => /eqP->; rewrite invr0 !mulr0.
  rewrite -(ratioP R) !ratioM ratio_nat qE ssE => /eqP <-.
  move: q_neq0; rewrite -(ratioP R) ratio0 qE => /negbT q_neq0.
  by rewrite mulfK // mulKf.
by rewrite ratio_le.
Qed.

End Rent.

Theorem C27_check_apart d m n N us c J v zs a :
    check_apart d m n N us c J v zs a ->
  N%:R^-1 * (\sum_(i < N) normsq (circuit_out (qnet d m n us c) (members n J)
    (points d N zs i) - vec m v)) = ratio a.
Proof.
case/and5P=> ok /andP[zs_d N_gt0] /eqP J_n /eqP v_m.
have N0 : N%:R != 0 :> R by rewrite pnatr_eq0 -lt0n.
rewrite -(ratioP R) ratioM ratio_nat => /eqP aE.
apply: (mulfI N0); rewrite mulVKf // aE /lfold ratio_sum.
have /andP[/eqP zs_N _] := zs_d.
rewrite (big_nth [::]) zs_N big_mkord; apply: eq_bigr => i _.
symmetry; apply: ratio_lsqdist; last by rewrite (row_vec _ v_m).
by rewrite (row_circuit R ok J_n (sized_nth zs_d i)).
Qed.

End Correct.
