(******************************************************************************)
(* Checkers of losses: the mean squared error of a net on data, its noise     *)
(* floor, and how much lower another net's loss is. As in check_nets.v, what  *)
(* they accept holds in the words of net.v.                                   *)
(*                                                                            *)
(*   lmean m zys z == the mean of the targets y of the pairs (z, y)           *)
(*    lfloor m zys == N times the noise floor of the pairs                    *)
(*  check_data d m N zs ys == lists of N > 0 inputs and targets               *)
(*      check_loss == the loss of a net is l                                  *)
(*     check_floor == the noise floor is e                                    *)
(*     check_above == both, and l > e                                         *)
(*       lterms ps == the sum of the products of the pairs                    *)
(* check_less, check_at_most, check_equal == how two such sums compare        *)
(*     check_lower == the loss of a net is lower than another's by drop > 0   *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Definition qnat n : Q := Qmake (Z.of_nat n) 1.

Definition qinv n : Q :=
  if n is n'.+1 then Qmake 1 (Pos.of_succ_nat n') else Q0.

Definition qsub (a b : Q) : Q := oadd Qops a (oopp Qops b).

Definition lsum m (ys : seq (seq Q)) := foldr (lvadd Qops) (nseq m Q0) ys.

Definition lmean m (zys : seq (seq Q * seq Q)) z :=
  let ys := [seq zy.2 | zy <- zys & lsame zy.1 z] in
  lscale Qops (qinv (size ys)) (lsum m ys).

Definition lfloor m zys :=
  foldr (oadd Qops) Q0 [seq lsqdist Qops (lmean m zys zy.1) zy.2 | zy <- zys].

Definition check_data (d m N : nat) (zs ys : seq (seq Q)) :=
  [&& sized d N zs, sized m N ys & (0 < N)%N].

Definition check_loss d m n N us c zs ys l :=
  [&& fits d m n us c, check_data d m N zs ys
    & Qeq_bool (omul Qops (qnat N) l) (lsse Qops us c (zip zs ys))].

Definition check_floor d m N zs ys e :=
  check_data d m N zs ys
  && Qeq_bool (omul Qops (qnat N) e) (lfloor m (zip zs ys)).

(* Each net has inputs of its own: those of a deep net are what enters its    *)
(* last hidden layer. The noise floor is about the inputs of the data.        *)
Definition check_above d d0 m n N us c zs zs0 ys l e :=
  [&& check_loss d m n N us c zs ys l, check_floor d0 m N zs0 ys e
    & lpos (qsub l e)].

Definition check_lower d d' m n n' N us c us' c' zs zs' ys l drop :=
  [&& check_loss d m n N us c zs ys l, lpos drop
    & check_loss d' m n' N us' c' zs' ys (qsub l drop)].

Definition lterms (ps : seq (Q * Q)) :=
  foldr (oadd Qops) Q0 [seq omul Qops p.1 p.2 | p <- ps].

Definition check_less ps qs := lpos (qsub (lterms qs) (lterms ps)).
Definition check_at_most ps qs := ~~ check_less qs ps.
Definition check_equal ps qs := Qeq_bool (lterms ps) (lterms qs).

Local Open Scope ring_scope.

Section Correct.

Variable R : realFieldType.
Local Notation ratio := (ratio R).
Local Notation vec := (vec R).
Local Notation points := (points R).
Local Notation qnet := (qnet R).
Local Arguments int_of_Z : simpl never.

Lemma ratio_nat n : ratio (qnat n) = n%:R.
Proof.
rewrite /compute.ratio /qnat /= -[Z.of_nat n]/(Z_of_int (Posz n)) Z_of_intK.
by rewrite -[int_of_Z (Zpos 1)]/(Posz 1) divr1.
Qed.

Lemma ratio_inv n : (0 < n)%N -> ratio (qinv n) = n%:R^-1.
Proof.
case: n => // n _; rewrite /compute.ratio /=.
rewrite -[int_of_Z (Zpos 1)]/(Posz 1) mul1r; congr (_^-1).
rewrite -[Zpos (Pos.of_succ_nat n)]/(Z.of_nat n.+1).
by rewrite -[Z.of_nat n.+1]/(Z_of_int (Posz n.+1)) Z_of_intK.
Qed.

Lemma ratio_sub a b : ratio (qsub a b) = ratio a - ratio b.
Proof. by rewrite ratioD ratioN. Qed.

Lemma ratio_lscale a v :
  lscale (Rops R) (ratio a) (map ratio v) = map ratio (lscale Qops a v).
Proof.
by rewrite /lscale -!map_comp; apply: eq_map => t /=; rewrite -ratioM.
Qed.

Lemma ratio_lsqdist m u v (a b : 'rV[R]_m) :
    map ratio u = row a -> map ratio v = row b ->
  ratio (lsqdist Qops u v) = normsq (a - b).
Proof.
move=> ua vb; rewrite /lsqdist.
rewrite -ldot_ratio -lvadd_ratio ua.
have -> : map ratio (map (oopp Qops) v) = row (- b).
  transitivity (map -%R (map ratio v)).
    by rewrite -!map_comp; apply: eq_map => t /=; rewrite -ratioN.
  by rewrite vb /row -map_comp; apply: eq_map => k /=; rewrite mxE.
by rewrite lvadd_row ldot_row dot_normsq.
Qed.

Lemma ratio_sum (T : Type) (G : T -> Q) s :
  ratio (foldr (oadd Qops) Q0 (map G s)) = \sum_(t <- s) ratio (G t).
Proof.
elim: s => [|t s IH]; first by rewrite big_nil ratio0.
by rewrite big_cons -IH -ratioD.
Qed.

Lemma ratio_lsum m (T : Type) (F : T -> seq Q) s :
    (forall t, size (F t) = m) ->
  map ratio (lsum m (map F s)) = row (\sum_(t <- s) vec m (F t)).
Proof.
move=> F_m; elim: s => [|t s IH].
  rewrite big_nil map_nseq ratio0 /row; under eq_map do rewrite mxE.
  by rewrite -{1}(size_enum_ord m); elim: (enum _) => //= ? ? ->.
rewrite big_cons -lvadd_row -IH (row_vec _ (F_m t)).
by rewrite lvadd_ratio.
Qed.

Section Data.

Variables (d m N : nat) (zs ys : seq (seq Q)).
Hypothesis data : check_data d m N zs ys.
Let z := points d N zs.
Let y := points m N ys.

Let z_d (i : 'I_N) : size (nth [::] zs i) = d.
Proof. by case/and3P: data => /sized_nth. Qed.

Let y_m (i : 'I_N) : size (nth [::] ys i) = m.
Proof. by case/and3P: data => _ /sized_nth. Qed.

Lemma zip_pairs :
  zip zs ys = map (fun j : 'I_N => (nth [::] zs j, nth [::] ys j)) (enum 'I_N).
Proof.
case/and3P: data => /andP[/eqP zs_N _] /andP[/eqP ys_N _] _.
have zy_N : size (zip zs ys) = N by rewrite size_zip zs_N ys_N minnn.
rewrite -[LHS](nth_enum ([::], [::]) zy_N); apply: eq_map => j.
by rewrite nth_zip ?zs_N.
Qed.

Lemma rows_zip : [seq (row (z i), row (y i)) | i <- enum 'I_N]
  = [seq (map ratio p.1, map ratio p.2) | p <- zip zs ys].
Proof.
rewrite zip_pairs -map_comp; apply: eq_map => i /=.
by rewrite (row_vec _ (z_d i)) (row_vec _ (y_m i)).
Qed.

Lemma same_input (i j : 'I_N) :
  (z j == z i) = lsame (nth [::] zs j) (nth [::] zs i).
Proof.
rewrite -(lsameP R) -(row_vec _ (z_d j)) -(row_vec _ (z_d i)).
by rewrite (inj_eq (@row_inj R d)).
Qed.

Lemma mean_correct (i : 'I_N) :
  row (gmean z y (z i)) = map ratio (lmean m (zip zs ys) (nth [::] zs i)).
Proof.
pose s := [seq j <- enum 'I_N | z j == z i].
have groupE : [seq zy.2 | zy <- zip zs ys & lsame zy.1 (nth [::] zs i)]
    = [seq nth [::] ys (val j) | j <- s].
  rewrite zip_pairs filter_map -map_comp /s; congr map.
  by apply: eq_filter => j /=; rewrite same_input.
have s_nu : size s = nu z (z i).
  by rewrite /nu cardE /s enumT; congr size; apply: eq_filter => j; rewrite inE.
rewrite /lmean groupE size_map s_nu -ratio_lscale ratio_lsum //.
rewrite ratio_inv ?nu_gt0 // lscale_row /gmean /gsum; congr (row (_ *: _)).
by rewrite /s big_filter big_enum_cond.
Qed.

Lemma lfloor_correct : floor z y = N%:R^-1 * ratio (lfloor m (zip zs ys)).
Proof.
rewrite /lfloor; set mean := lmean m (zip zs ys).
rewrite zip_pairs -map_comp ratio_sum big_enum /=.
rewrite /floor /mse; congr (_ * _); apply: eq_bigr => j _.
symmetry; apply: ratio_lsqdist; first by rewrite mean_correct.
by rewrite (row_vec _ (y_m j)).
Qed.

Lemma lsse_qnet n us c : fits d m n us c ->
  loss z y (qnet d m n us c) = N%:R^-1 * ratio (lsse Qops us c (zip zs ys)).
Proof.
move=> ok; rewrite -lsse_correct rows_zip units_qnet //=.
by have /and3P[/eqP c_m _ _] := ok; rewrite (row_vec _ c_m) lsse_ratio.
Qed.

Lemma N_neq0 : N%:R != 0 :> R.
Proof. by case/and3P: data => _ _; rewrite pnatr_eq0 -lt0n. Qed.

End Data.

Section Checked.

Variables (d d' m n n' N : nat) (us us' : seq (unit Q)) (c c' : seq Q).
Variables (zs zs' ys : seq (seq Q)).
Let y := points m N ys.

Theorem C5_check_loss l : check_loss d m n N us c zs ys l ->
  loss (points d N zs) y (qnet d m n us c) = ratio l.
Proof.
case/and3P=> ok data; rewrite -(ratioP R) ratioM ratio_nat => /eqP lE.
by rewrite lsse_qnet // -lE mulKf // (N_neq0 data).
Qed.

Theorem C5_check_floor e :
  check_floor d m N zs ys e -> floor (points d N zs) y = ratio e.
Proof.
case/andP=> data; rewrite -(ratioP R) ratioM ratio_nat => /eqP eE.
by rewrite lfloor_correct // -eE mulKf // (N_neq0 data).
Qed.

End Checked.

Theorem C5_check_above d d0 m n N us c zs zs0 ys l e :
    check_above d d0 m n N us c zs zs0 ys l e ->
  let L := loss (points d N zs) (points m N ys) (qnet d m n us c) in
  let E := floor (points d0 N zs0) (points m N ys) in
  [/\ L = ratio l, E = ratio e & E < L].
Proof.
case/and3P=> /C5_check_loss lE /C5_check_floor eE.
by rewrite -(ratio_gt0 R) ratio_sub subr_gt0 lE eE; split.
Qed.

Theorem C5_check_lower d d' m n n' N us us' c c' zs zs' ys l drop :
    check_lower d d' m n n' N us c us' c' zs zs' ys l drop ->
  let L := loss (points d N zs) (points m N ys) (qnet d m n us c) in
  let L' := loss (points d' N zs') (points m N ys) (qnet d' m n' us' c') in
  L - L' = ratio drop /\ L' < L.
Proof.
case/and3P=> /C5_check_loss before drop_gt0 /C5_check_loss after /=.
rewrite before after ratio_sub opprB addrCA subrr addr0; split=> //.
by rewrite -subr_gt0 opprB addrCA subrr addr0 ratio_gt0.
Qed.

Section Compared.

Variables ps qs : seq (Q * Q).
Let terms (rs : seq (Q * Q)) : R := \sum_(p <- rs) ratio p.1 * ratio p.2.

Lemma lterms_correct rs : ratio (lterms rs) = terms rs.
Proof. by rewrite ratio_sum; apply: eq_bigr => p _; rewrite ratioM. Qed.

Theorem C5_check_less : check_less ps qs -> terms ps < terms qs.
Proof.
by rewrite /check_less -(ratio_gt0 R) ratio_sub subr_gt0 !lterms_correct.
Qed.

Theorem C5_check_at_most : check_at_most ps qs -> terms ps <= terms qs.
Proof.
rewrite /check_at_most /check_less -(ratio_gt0 R) ratio_sub subr_gt0 -leNgt.
by rewrite !lterms_correct.
Qed.

Theorem C5_check_equal : check_equal ps qs -> terms ps = terms qs.
Proof. by rewrite /check_equal -(ratioP R) !lterms_correct => /eqP. Qed.

End Compared.

End Correct.
