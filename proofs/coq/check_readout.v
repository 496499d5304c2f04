(******************************************************************************)
(* Checkers of output layers that are best for their features: least squares, *)
(* ridge, and the solution of least norm, by the normal equations; and what a *)
(* move of the answer at a point costs.                                       *)
(*                                                                            *)
(*         errors us c zys == y_i - f(z_i)                                    *)
(*         lcolumn un zs == the activations of a unit at the inputs           *)
(*  on R d m n us c zs == phi_ij of c19_analytical.v, for the units of a net  *)
(*        check_ridge == ridge_min: with an intercept if b                    *)
(*     check_min_norm == min_norm, with weights in the row space by vs        *)
(*     check_constant == every unit of a circuit is constant in training      *)
(*   check_weightless == and sends nothing; check_weighted: some unit of it   *)
(*                       sends something                                      *)
(*       check_wakes == some unit of it has another value at x                *)
(* check_readout_price == ridge_min, the leverage at x, and what it bounds    *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_losses check_points.
From absence Require Import check_signs check_minima check_gaps check_rank.
From absence Require Import c9_full_rank c19_analytical c21_leverage.
From absence Require Import c21_readout_price.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Definition lnegated (v : seq Q) := map (oopp Qops) v.

Definition errors us c (zys : seq (seq Q * seq Q)) :=
  [seq lvadd Qops p.2 (lnegated (leval Qops us c p.1)) | p <- zys].

Definition lcolumn (un : unit Q) zs := [seq lactivity un.1.1 un.1.2 z | z <- zs].

Definition zeros k := nseq k Q0.

(* What the output weights cost: l times the sum of their squares.            *)
Definition lpenalty l (us : seq (unit Q)) :=
  omul Qops l (lfold [seq ldot Qops un.2 un.2 | un <- us]).

Definition lridge l us c zys := oadd Qops (lsse Qops us c zys) (lpenalty l us).

Section Lists.

Variables (d m n N : nat) (us : seq (unit Q)) (c : seq Q) (zs ys : seq (seq Q)).
Let rs := errors us c (zip zs ys).

Definition check_ridge (b : bool) l :=
  [&& fits d m n us c, check_data d m N zs ys, b || lsame c (zeros m),
      ~~ b || lsame (lsum m rs) (zeros m)
    & ~~ lneg l && all (fun un => lsame (lcomb m (lcolumn un zs) rs)
                                        (lscale Qops l un.2)) us].

Definition check_min_norm (b : bool) (vs : seq (seq Q)) :=
  [&& check_ridge b Q0, sized m N vs, ~~ b || lsame (lsum m vs) (zeros m)
    & all (fun un => lsame (lcomb m (lcolumn un zs) vs) un.2) us].

Definition constant (un : unit Q) :=
  if lcolumn un zs is t :: ts then all (Qeq_bool t) ts else true.

Definition sends_nothing (un : unit Q) := lsame un.2 (zeros m).

Definition check_constant (J : seq bool) :=
  [&& check_table d m n N us c zs, size J == n & all constant (mask J us)].

Definition check_weightless J := check_constant J && all sends_nothing (mask J us).

Definition check_weighted J :=
  check_constant J && ~~ all sends_nothing (mask J us).

Definition wakes (z x : seq Q) (un : unit Q) :=
  ~~ Qeq_bool (lactivity un.1.1 un.1.2 z) (lactivity un.1.1 un.1.2 x).

Definition check_wakes J x :=
  [&& check_constant J, size x == d
    & (0 < N)%N && has (wakes (nth [::] zs 0) x) (mask J us)].

Variables (us' : seq (unit Q)) (c' : seq Q).

Definition same_hidden := all (fun p => lsame p.1.1.1 p.2.1.1
  && Qeq_bool p.1.1.2 p.2.1.2) (zip us us').

Definition check_readout_price l x u h square bound :=
  [&& check_ridge true l, check_lever d m n N us c zs l x u h,
      fits d m n us' c' && same_hidden,
      Qeq_bool square (lsqdist Qops (leval Qops us' c' x) (leval Qops us c x))
    & Qeq_bool bound (omul Qops h (qsub (lridge l us' c' (zip zs ys))
                                        (lridge l us c (zip zs ys))))].

End Lists.

Local Open Scope ring_scope.

Section Correct.

Variable R : realFieldType.
Local Notation ratio := (ratio R).
Local Notation vec := (vec R).
Local Notation points := (points R).
Local Notation qnet := (qnet R).
Local Arguments int_of_Z : simpl never.

Lemma vec_lnegated k (v : seq Q) : size v = k -> vec k (lnegated v) = - vec k v.
Proof.
move=> v_k; apply/rowP=> i.
by rewrite !mxE (nth_map Q0) ?v_k // ratioN.
Qed.

Lemma vec_lsum k N (vs : seq (seq Q)) : sized k N vs ->
  vec k (lsum k vs) = \sum_(i < N) vec k (nth [::] vs i).
Proof.
case/andP=> /eqP vs_N vs_k; apply: vec_row; rewrite lsum_vec //; congr row.
by rewrite (big_nth [::]) vs_N big_mkord.
Qed.

Lemma vec_zeros k (v : seq Q) : lsame v (zeros k) -> vec k v = 0.
Proof. by move=> /(vec_same R k) ->; apply: vec0. Qed.

Lemma nth_mask (P : unit Q -> bool) (J : seq bool) us k :
    size J = size us -> (k < size us)%N -> nth false J k ->
  all P (mask J us) -> P (nth lunit0 us k).
Proof.
elim: J us k => [|b J IH] [|un us] [|k] //= [J_us].
  by move=> _ -> /andP[].
by move=> k_us Jk; case: b => [/andP[_]|]; apply: IH.
Qed.

Lemma has_mask (P : unit Q -> bool) (J : seq bool) us :
    size J = size us -> has P (mask J us) ->
  exists k, [/\ (k < size us)%N, nth false J k & P (nth lunit0 us k)].
Proof.
elim: J us => [|b J IH] [|un us] //= [J_us].
have rest : has P (mask J us) -> exists k, [/\ (k < (size us).+1)%N,
    nth false (b :: J) k & P (nth lunit0 (un :: us) k)].
  by move=> /(IH _ J_us)[k [k_us Jk Pk]]; exists k.+1.
case: b rest => // rest /= /orP[Pun|/rest//].
by exists 0%N.
Qed.

Section Net.

Variables (d m n N : nat) (us : seq (unit Q)) (c : seq Q) (zs ys : seq (seq Q)).
Let theta := qnet d m n us c.
Let z := points d N zs.
Let y := points m N ys.
Let rs := errors us c (zip zs ys).

Definition on (i : 'I_N) (j : 'I_n) := act theta j (z i).

Lemma size_eval x : fits d m n us c -> size x = d ->
  size (leval Qops us c x) = m.
Proof.
move=> ok x_d.
by rewrite -(size_map ratio) -(row_eval R ok x_d) size_map size_enum_ord.
Qed.

Lemma vec_eval x : fits d m n us c -> size x = d ->
  vec m (leval Qops us c x) = eval theta (vec d x).
Proof. by move=> ok x_d; apply: vec_row; rewrite row_eval. Qed.

Hypotheses (ok : fits d m n us c) (data : check_data d m N zs ys).

Let z_d (i : 'I_N) : size (nth [::] zs i) = d.
Proof. by case/and3P: data => /sized_nth. Qed.

Let y_m (i : 'I_N) : size (nth [::] ys i) = m.
Proof. by case/and3P: data => _ /sized_nth. Qed.

Lemma errors_correct : sized m N rs /\
  forall i : 'I_N, vec m (nth [::] rs i) = y i - eval theta (z i).
Proof.
have rsE : rs = map (fun i : 'I_N => lvadd Qops (nth [::] ys i)
    (lnegated (leval Qops us c (nth [::] zs i)))) (enum 'I_N).
  by rewrite /rs /errors (zip_pairs data) -map_comp.
have size_neg (i : 'I_N) :
    size (lnegated (leval Qops us c (nth [::] zs i))) = m.
  by rewrite size_map size_eval.
split=> [|i].
  rewrite /sized rsE size_map size_enum_ord eqxx all_map; apply/allP=> i _ /=.
  by rewrite size_map size_zip size_neg y_m minnn.
rewrite rsE (nth_map i) ?size_enum_ord // nth_ord_enum.
by rewrite (vec_lvadd R (y_m i) (size_neg i)) vec_lnegated ?size_eval // vec_eval.
Qed.

Lemma lcolumn_correct (j : 'I_n) : size (lcolumn (nth lunit0 us j) zs) = N
  /\ forall i : 'I_N, ratio (nth Q0 (lcolumn (nth lunit0 us j) zs) i) = on i j.
Proof.
have /and3P[/andP[/eqP zs_N _] _ _] := data.
split=> [|i]; first by rewrite size_map.
by rewrite (nth_map [::]) ?zs_N // (act_correct R j ok).
Qed.

End Net.

Section Facts.

Variables (d m n N : nat) (us : seq (unit Q)) (c : seq Q) (zs ys : seq (seq Q)).
Let theta := qnet d m n us c.
Let z := points d N zs.
Let y := points m N ys.
Let phi := @on d m n N us c zs.

Lemma all_units (P : unit Q -> bool) (j : 'I_n) :
  fits d m n us c -> all P us -> P (nth lunit0 us j).
Proof. by case/and3P=> _ /eqP us_n _ /all_nthP; apply; rewrite us_n. Qed.

Lemma size_outw (j : 'I_n) : fits d m n us c -> size (nth lunit0 us j).2 = m.
Proof.
move=> ok; have /and3P[_ _ /(all_units j ok)/andP[_ /eqP]] := ok; exact.
Qed.

Lemma column_sum (j : 'I_n) vs : fits d m n us c -> check_data d m N zs ys ->
    sized m N vs ->
  vec m (lcomb m (lcolumn (nth lunit0 us j) zs) vs)
  = \sum_i phi i j *: vec m (nth [::] vs i).
Proof.
move=> ok data vs_m; have [col_N colE] := lcolumn_correct ok data j.
have [_ ->] := vec_lcomb R col_N vs_m.
by apply: eq_bigr => i _; rewrite colE.
Qed.

Lemma normal_equations b l : check_ridge d m n N us c zs ys b l ->
  [/\ allowed b (shift theta),
      b -> \sum_i (y i - eval theta (z i)) = 0, 0 <= ratio l
    & forall j, \sum_i phi i j *: (y i - eval theta (z i))
                = ratio l *: outw theta j].
Proof.
case/and5P=> ok data c0 sum0 /andP[l_ge0 normal].
have [rs_m rsE] := errors_correct ok data; split.
- rewrite /allowed; case: b c0 sum0 => //= /vec_zeros c0 _.
  by rewrite c0 eqxx.
- move=> b_true; move: sum0; rewrite b_true /= => /vec_zeros sum0.
  by rewrite -[RHS]sum0 (vec_lsum rs_m); apply: eq_bigr => i _; rewrite rsE.
- by rewrite ratio_ge0.
move=> j; have /(vec_same R m) := all_units j ok normal.
rewrite (column_sum _ ok data rs_m) vec_lscale; last exact: size_outw.
by move=> <-; apply: eq_bigr => i _; rewrite rsE.
Qed.

Theorem C19_check_ridge b l : check_ridge d m n N us c zs ys b l ->
  ridge_min phi y b (ratio l) (outw theta) (shift theta).
Proof.
by case/normal_equations=> c_ok sum0 l_ge0 normal; apply: C19_normal.
Qed.

Theorem C19_check_min_norm b vs : check_min_norm d m n N us c zs ys b vs ->
  min_norm phi y b (outw theta) (shift theta).
Proof.
case/and4P=> solves vs_m sum0 row_space.
have [c_ok rs0 _ normal] := normal_equations solves.
have /and5P[ok data _ _ _] := solves.
apply: (@C19_row_space _ _ _ _ _ _ _ _ _ (fun i => vec m (nth [::] vs i))) => //.
- by move=> j; rewrite normal ratio0 scale0r.
- move=> j; have /(vec_same R m) := all_units j ok row_space.
  by rewrite (column_sum _ ok data vs_m) => /esym.
by move=> b_true; move: sum0; rewrite b_true /= => /vec_zeros; rewrite (vec_lsum vs_m).
Qed.

Lemma mask_member (P : unit Q -> bool) (J : seq bool) (j : 'I_n) :
    fits d m n us c -> size J = n -> j \in members n J ->
  all P (mask J us) -> P (nth lunit0 us j).
Proof.
case/and3P=> _ /eqP us_n _ J_n; rewrite inE; apply: nth_mask.
  by rewrite J_n us_n.
by rewrite us_n.
Qed.

Lemma has_member (P : unit Q -> bool) (J : seq bool) :
    fits d m n us c -> size J = n -> has P (mask J us) ->
  exists2 j, j \in members n J & P (nth lunit0 us j).
Proof.
case/and3P=> _ /eqP us_n _ J_n some.
have [|k [k_us Jk Pk]] := has_mask _ some; first by rewrite J_n us_n.
by rewrite us_n in k_us; exists (Ordinal k_us); rewrite ?inE.
Qed.

Lemma constantP (j : 'I_n) : check_table d m n N us c zs ->
    constant zs (nth lunit0 us j) ->
  forall i i' : 'I_N, phi i j = phi i' j.
Proof.
move=> table same; have /andP[ok /andP[/eqP zs_N _]] := table.
have colE (i : 'I_N) : ratio (nth Q0 (lcolumn (nth lunit0 us j) zs) i) = phi i j.
  rewrite (nth_map [::]) ?zs_N // (act_correct R j ok) //.
  by case/andP: table => _ /sized_nth.
have col_N : size (lcolumn (nth lunit0 us j) zs) = N by rewrite size_map.
suff all_t (i i' : 'I_N) : val i = 0%N -> phi i j = phi i' j.
  move=> i i'; have N_gt0 : (0 < N)%N := leq_ltn_trans (leq0n i) (ltn_ord i).
  by rewrite -!(all_t (Ordinal N_gt0)).
move=> i0; rewrite -!colE i0; move: same col_N; rewrite /constant.
case: (lcolumn _ _) => [|t ts] same col_N; first by rewrite !nth_default.
case: i' => -[|k] //= k_N; apply/ratio_eq/Qeq_bool_iff.
by move: same => /all_nthP; apply; rewrite -[(_ < _)%N]/(k.+1 < size (t :: ts))%N col_N.
Qed.

Variables (J : seq bool) (x : seq Q).

Theorem C19_check_constant : check_constant d m n N us c zs J ->
  forall j, j \in members n J -> forall i i', phi i j = phi i' j.
Proof.
case/and3P=> table /eqP J_n all_same j jJ; apply: constantP => //.
by case/andP: table => ok _; apply: (mask_member ok J_n jJ all_same).
Qed.

Theorem C19_check_weightless : check_weightless d m n N us c zs J ->
  forall j, j \in members n J -> outw theta j = 0.
Proof.
case/andP=> /and3P[/andP[ok _] /eqP J_n _] none j jJ.
exact/vec_zeros/(mask_member ok J_n jJ none).
Qed.

Theorem C19_check_weighted : check_weighted d m n N us c zs J ->
  exists2 j, j \in members n J & outw theta j != 0.
Proof.
case/andP=> /and3P[/andP[ok _] /eqP J_n _].
rewrite -has_predC => /(has_member ok J_n)[j jJ some]; exists j => //.
apply: contra some => /eqP a0.
have a_m := size_outw j ok; have z_m : size (zeros m) = m by rewrite size_nseq.
rewrite /sends_nothing -(lsameP R) -(row_vec R a_m) -(row_vec R z_m) vec0.
by rewrite -[vec _ _]/(outw theta j) a0.
Qed.

Theorem C19_check_wakes : check_wakes d m n N us c zs J x ->
  exists2 j, j \in members n J & forall i, act theta j (vec d x) != phi i j.
Proof.
case/and3P=> constant_J /eqP x_d /andP[N_gt0].
have /and3P[table /eqP J_n _] := constant_J; have /andP[ok sizes] := table.
case/(has_member ok J_n)=> j jJ other; exists j => // i.
rewrite (C19_check_constant constant_J jJ i (Ordinal N_gt0)).
apply: contra other => /eqP same; rewrite -(ratioP R).
rewrite (act_correct R j ok x_d) (act_correct R j ok) ?same //.
exact: (sized_nth sizes (Ordinal N_gt0)).
Qed.

Lemma design_features : design phi = features z theta.
Proof. by apply/row_matrixP=> i; rewrite rowK row_features. Qed.

Lemma same_hiddenP us' c' : fits d m n us c -> fits d m n us' c' ->
  same_hidden us us' -> same_features theta (qnet d m n us' c').
Proof.
case/and3P=> _ /eqP us_n _ /and3P[_ /eqP us_n' _].
move=> /(all_nthP (lunit0, lunit0)) same.
have at_j (j : 'I_n) : lsame (nth lunit0 us j).1.1 (nth lunit0 us' j).1.1
    && Qeq_bool (nth lunit0 us j).1.2 (nth lunit0 us' j).1.2.
  have := same j; rewrite size_zip us_n us_n' minnn nth_zip ?us_n //.
  by apply; apply: ltn_ord.
split=> j; have /andP[w_same b_same] := at_j j.
  exact/esym/vec_same.
by apply/esym/ratio_eq/Qeq_bool_iff.
Qed.

Lemma eval_same us' c' v : same_features theta (qnet d m n us' c') ->
  eval (qnet d m n us' c') v = shift (qnet d m n us' c')
    + \sum_j act theta j v *: outw (qnet d m n us' c') j.
Proof.
case=> w_same b_same; congr (_ + _); apply: eq_bigr => j _.
by rewrite /act w_same b_same.
Qed.

Lemma lridge_correct us' c' l : check_data d m N zs ys ->
    fits d m n us' c' -> same_features theta (qnet d m n us' c') ->
  ratio (lridge l us' c' (zip zs ys))
  = ridge phi y (ratio l) (outw (qnet d m n us' c')) (shift (qnet d m n us' c')).
Proof.
move=> data ok' same; set theta' := qnet d m n us' c'.
rewrite /lridge /ridge ratioD; congr (_ + _).
  have := lsse_qnet R data ok'; rewrite /loss /mse => /(congr1 ( *%R N%:R)).
  rewrite !mulVKf ?(N_neq0 R data) // => <-; apply: eq_bigr => i _.
  by rewrite (eval_same _ same).
rewrite ratioM /lfold ratio_sum /size2; congr (_ * _).
have /and3P[_ /eqP us_n' /all_nthP sizes] := ok'.
rewrite (big_nth lunit0) us_n' big_mkord; apply: eq_bigr => j _.
have := sizes lunit0 j; rewrite us_n' => /(_ (ltn_ord j)) /andP[_ /eqP a_m].
by rewrite (ldot_vec R a_m a_m) dot_normsq.
Qed.

Theorem C21_check_readout_price us' c' l u h square bound :
    check_readout_price d m n N us c zs ys us' c' l x u h square bound ->
  let theta' := qnet d m n us' c' in
  let cost theta := ridge phi y (ratio l) (outw theta) (shift theta) in
  [/\ ridge_min phi y true (ratio l) (outw theta) (shift theta),
      same_features theta theta',
      lever (design phi) (penalties (ratio l) (p := n))
            (feat theta (vec d x)) (ratio h),
      normsq (eval theta' (vec d x) - eval theta (vec d x)) = ratio square
    & ratio h * (cost theta' - cost theta) = ratio bound
      /\ ratio square <= ratio bound].
Proof.
case/and5P=> solves lev /andP[ok' hidden] squareE boundE theta' cost.
have /and5P[ok data _ _ /andP[l_ge0 _]] := solves.
have best := C19_check_ridge solves.
have same := same_hiddenP ok ok' hidden.
have /and3P[_ /eqP x_d _] := lev.
have levP := C21_check_lever R lev; rewrite -design_features in levP.
have squareP : normsq (eval theta' (vec d x) - eval theta (vec d x)) = ratio square.
  move: squareE; rewrite -(ratioP R) => /eqP ->; symmetry; apply: ratio_lsqdist.
    by rewrite row_eval.
  by rewrite row_eval.
have boundP : ratio h * (cost theta' - cost theta) = ratio bound.
  move: boundE; rewrite -(ratioP R) => /eqP ->; rewrite ratioM ratio_sub.
  by rewrite !(lridge_correct l data) //; congr (_ * (_ - _)).
split=> //; split=> //; rewrite -squareP -boundP.
have := C21_ridge (outw theta') (shift theta') _ best levP.
rewrite ratio_ge0 => /(_ l_ge0); apply: le_trans.
by rewrite (eval_same _ same).
Qed.

End Facts.

End Correct.
