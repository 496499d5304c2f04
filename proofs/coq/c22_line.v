(******************************************************************************)
(* C22 on a line: that a certificate serves for all nets is a finite check.   *)
(* u 0 < ... < u k are the training inputs and x, in order. The weights of a  *)
(* unit are a combination, none negative, of the two rays of one of 2 k + 2   *)
(* cells. A ray is the weights of a hinge at one of the points, written as a  *)
(* sign and the number of the point.                                          *)
(*                                                                            *)
(*            cell k == Up i, Down i: the unit changes sign between u i and   *)
(*                      u i.+1, rising or falling; Above, Below: it does not  *)
(* first c, second c == the rays of a cell                                    *)
(*         hinge_w p == the weight of a ray                                   *)
(*         hinge_b p == its bias                                              *)
(*      positive c v == whether the units of the cell are positive at v       *)
(*        height p v == what a ray is at v                                    *)
(*             out e == the output weight -1 if e, else 1                     *)
(*         C22_cells == all weights are in a cell                             *)
(*     C22_line_unit == so what residuals make of a unit is seen at two rays  *)
(*          C22_line == one output: if for all cells and signs of the units   *)
(*                      some residuals serve at the rays, no net that defects *)
(*                      by t is below what all these residuals reach          *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c22_price c22_between.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Inductive cell (k : nat) := Up of 'I_k | Down of 'I_k | Above | Below.
Arguments Above {k}.
Arguments Below {k}.

Section Cells.

Variables (R : realFieldType) (k : nat) (u : nat -> R).
Hypothesis k_gt0 : (0 < k)%N.
Hypothesis sorted : forall i j, (i < j <= k)%N -> u i < u j.
Implicit Types (c : cell k) (w b v : R).

Definition first c : R * nat :=
  match c with
  | Up i => (1, i : nat) | Down i => (-1, i : nat)
  | Above => (1, 0%N) | Below => (-1, 0%N)
  end.

Definition second c : R * nat :=
  match c with
  | Up i => (1, i.+1) | Down i => (-1, i.+1) | Above => (-1, k) | Below => (1, k)
  end.

Definition hinge_w (p : R * nat) : 'rV[R]_1 := const_mx p.1.
Definition hinge_b (p : R * nat) : R := - (p.1 * u p.2).

(* Whether the units of a cell are positive at v.                             *)
Definition positive c v : bool :=
  match c with
  | Up i => u i.+1 <= v | Down i => v <= u i | Above => true | Below => false
  end.

Lemma change (h : nat -> R) : h 0%N <= 0 -> 0 <= h k ->
  exists i : 'I_k, h i <= 0 /\ 0 <= h i.+1.
Proof.
move=> low; suff step p : (p < k)%N -> 0 <= h p.+1 ->
    exists i : 'I_k, h i <= 0 /\ 0 <= h i.+1.
  by case: k k_gt0 step => // k' _ step; apply: step.
elim: p => [|p IH] lt_p high; first by exists (Ordinal lt_p).
have [le0|/ltW ge0] := leP (h p.+1) 0; first by exists (Ordinal lt_p).
exact: IH (ltnW lt_p) ge0.
Qed.

(* A line through two points p < q, by what it is there.                      *)
Lemma through p q w b : p < q -> exists s t : R,
  [/\ w = s - t & b = t * q - s * p]
  /\ [/\ (0 <= s) = (0 <= w * q + b), (s <= 0) = (w * q + b <= 0),
         (0 <= t) = (0 <= w * p + b) & (t <= 0) = (w * p + b <= 0)].
Proof.
rewrite -subr_gt0 => d_gt0; have d_neq0 := lt0r_neq0 d_gt0.
exists ((w * q + b) / (q - p)), ((w * p + b) / (q - p)).
split; first by split; field.
by rewrite !pmulr_lge0 ?pmulr_lle0 ?invr_gt0.
Qed.

Theorem C22_cells w b : exists c (s t : R),
  [/\ 0 <= s, 0 <= t, w = s * (first c).1 + t * (second c).1
    & b = s * hinge_b (first c) + t * hinge_b (second c)].
Proof.
pose h l := w * u l + b.
have ends : u 0%N < u k by rewrite sorted ?k_gt0 ?leqnn.
have next (i : 'I_k) : u i < u i.+1 by rewrite sorted ?ltnSn ?ltn_ord.
have [low|/ltW low] := leP (h 0%N) 0; have [high|/ltW high] := leP (h k) 0.
- have [s [t [[wE bE] [s_ge s_le t_ge t_le]]]] := through w b ends.
  exists Below, (- s), (- t); rewrite /hinge_b /=.
  by split; rewrite ?oppr_ge0 ?s_le ?t_le // ?wE ?bE /=; ring.
- have [i [i_low i_high]] := change low high.
  have [s [t [[wE bE] [s_ge s_le t_ge t_le]]]] := through w b (next i).
  exists (Up i), s, (- t); rewrite /hinge_b /=.
  by split; rewrite ?oppr_ge0 ?s_ge ?t_le // ?wE ?bE /=; ring.
- have low' : - h 0%N <= 0 by rewrite oppr_le0.
  have high' : 0 <= - h k by rewrite oppr_ge0.
  have [i []] := @change (fun l => - h l) low' high'.
  rewrite oppr_le0 oppr_ge0 => i_low i_high.
  have [s [t [[wE bE] [s_ge s_le t_ge t_le]]]] := through w b (next i).
  exists (Down i), (- s), t; rewrite /hinge_b /=.
  by split; rewrite ?oppr_ge0 ?s_le ?t_ge // ?wE ?bE /=; ring.
have [s [t [[wE bE] [s_ge s_le t_ge t_le]]]] := through w b ends.
exists Above, s, t; rewrite /hinge_b /=.
by split; rewrite ?s_ge ?t_ge // ?wE ?bE /=; ring.
Qed.

Lemma ordered i j : (i <= j <= k)%N -> u i <= u j.
Proof.
rewrite leq_eqVlt => /andP[/orP[/eqP->//|lt_ij] le_j].
by rewrite ltW // sorted ?lt_ij.
Qed.

Definition height (p : R * nat) v := p.1 * v + hinge_b p.

Lemma height_up i v :
  (0 <= height (1, i) v) = (u i <= v) /\ (height (1, i) v <= 0) = (v <= u i).
Proof. by rewrite /height /hinge_b /= !mul1r subr_ge0 subr_le0. Qed.

Lemma height_down i v :
  (0 <= height (-1, i) v) = (v <= u i) /\ (height (-1, i) v <= 0) = (u i <= v).
Proof.
by rewrite /height /hinge_b /= !mulN1r opprK addrC subr_ge0 subr_le0.
Qed.

(* In a cell both rays have the sign of the cell, at every point.             *)
Lemma signs c l : (l <= k)%N ->
  if positive c (u l)
  then 0 <= height (first c) (u l) /\ 0 <= height (second c) (u l)
  else height (first c) (u l) <= 0 /\ height (second c) (u l) <= 0.
Proof.
have up i := (height_up i (u l)).1; have up' i := (height_up i (u l)).2.
have down i := (height_down i (u l)).1; have down' i := (height_down i (u l)).2.
move=> le_l; case: c => [i|i||] /=; last 2 first.
- by rewrite up down; split; apply: ordered; rewrite ?le_l ?leqnn.
- by rewrite up' down'; split; apply: ordered; rewrite ?le_l ?leqnn.
- have lt_i := ltn_ord i; rewrite !up !up'; case: leP => [high|low].
    by split=> //; apply: le_trans high; rewrite ordered ?leqnSn.
  rewrite (ltW low); split=> //; apply: ordered; rewrite (ltnW lt_i) andbT.
  rewrite leqNgt; apply/negP => lt_il.
  by move: low; rewrite ltNge ordered ?lt_il.
have lt_i := ltn_ord i; rewrite !down !down'; case: leP => [low|high].
  by split=> //; apply: le_trans low _; rewrite ordered ?leqnSn.
rewrite (ltW high); split=> //; apply: ordered; rewrite le_l andbT ltnNge.
apply/negP => le_li; by move: high; rewrite ltNge ordered ?le_li ?(ltnW lt_i).
Qed.

End Cells.

Section Line.

Variables (R : realFieldType) (N k : nat) (u : nat -> R).
Variables (z : 'I_N -> 'rV[R]_1) (x : 'rV[R]_1).
Hypothesis k_gt0 : (0 < k)%N.
Hypothesis sorted : forall i j, (i < j <= k)%N -> u i < u j.
Hypothesis places : forall v, seen z x v -> exists2 l, (l <= k)%N & v 0 0 = u l.

Let ray_w (c : cell k) (i : 'I_2) :=
  hinge_w (if i == ord0 then first R c else second R c).
Let ray_b (c : cell k) (i : 'I_2) :=
  hinge_b u (if i == ord0 then first R c else second R c).

Theorem C22_line_unit (w : 'rV[R]_1) b : exists c : cell k,
  forall m (r : 'I_N -> 'rV[R]_m) mu (s a : 'rV[R]_m),
  slope z r mu x s (hinge_w (first R c)) (hinge_b u (first R c)) a <= 0 ->
  slope z r mu x s (hinge_w (second R c)) (hinge_b u (second R c)) a <= 0 ->
  slope z r mu x s w b a <= 0.
Proof.
have [c [s1 [s2 [s1_ge0 s2_ge0 wE bE]]]] := C22_cells k_gt0 sorted (w 0 0) b.
exists c => m r mu s a one two.
pose weight (i : 'I_2) := if i == ord0 then s1 else s2.
have wsum : w = \sum_i weight i *: ray_w c i.
  apply/rowP => i; rewrite ord1 big_ord_recl big_ord1 !mxE wE /weight /ray_w /=.
  by [].
have bsum : b = \sum_i weight i * ray_b c i.
  by rewrite big_ord_recl big_ord1 bE.
rewrite wsum bsum; apply: (C22_rays (up := fun v => positive u c (v 0 0))).
- by move=> i; rewrite /weight; case: ifP.
- move=> i v seen_v; have [l le_l vE] := places seen_v.
  have := signs sorted c le_l; rewrite -vE /height.
  have dotE p : dot (hinge_w p) v + hinge_b u p = p.1 * v 0 0 + hinge_b u p.
    by rewrite /dot big_ord1 mxE.
  by rewrite /ray_w /ray_b dotE; case: ifP => _ []; case: ifP.
by move=> i; rewrite /ray_w /ray_b; case: ifP.
Qed.

Variable y : 'I_N -> 'rV[R]_1.

Definition out (e : bool) : 'rV[R]_1 := const_mx ((-1) ^+ e).

Lemma slope_scaled m (r : 'I_N -> 'rV[R]_m) mu (s a : 'rV[R]_m) w b t :
  slope z r mu x s w b (t *: a) = t * slope z r mu x s w b a.
Proof.
rewrite /slope dotZr mulrDr; congr (_ + _); last by ring.
by rewrite mulr_sumr; apply: eq_bigr => i _; rewrite dotZr; ring.
Qed.

Theorem C22_line K n s base t l (r : 'I_K -> 'I_N -> 'rV[R]_1)
    (mu : 'I_K -> R) :
  (0 < N)%N -> (forall q, 0 <= mu q) ->
  (forall q, \sum_i r q i + mu q *: s = 0) ->
  (forall q, N%:R * l <= reached y (r q) (mu q) s base t) ->
  (forall (c : 'I_n -> cell k) (e : 'I_n -> bool), exists q, forall j,
     slope z (r q) (mu q) x s (hinge_w (first R (c j)))
       (hinge_b u (first R (c j))) (out (e j)) <= 0
     /\ slope z (r q) (mu q) x s (hinge_w (second R (c j)))
       (hinge_b u (second R (c j))) (out (e j)) <= 0) ->
  dearer z y n x s base t l.
Proof.
move=> N_gt0 mu_ge0 balance low check theta.
have -> : l = l + (0 * (t - t)) *+ 2 / N%:R by rewrite mul0r mul0rn mul0r addr0.
apply: (C22_steeper (r := r) (mu := mu)) => // {}theta.
have [c cP] := fin_all_exists
  (fun j => C22_line_unit (inw theta j) (bias theta j)).
have [q qP] := check c (fun j => outw theta j 0 0 < 0); exists q => j.
have -> : outw theta j = `|outw theta j 0 0| *: out (outw theta j 0 0 < 0).
  by apply/rowP => i; rewrite ord1 !mxE mulrC -numEsign.
rewrite slope_scaled; have [one two] := qP j.
by rewrite mulr_ge0_le0 //; apply: cP.
Qed.

End Line.
