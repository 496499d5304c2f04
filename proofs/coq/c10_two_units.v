(******************************************************************************)
(* C10, two units: where 2 units are enough inside the hull, and where not.   *)
(*                                                                            *)
(*    C10_two_sided == two units that are idle fire at no point that has two  *)
(*                     training inputs on each side along some line           *)
(*     C10_left_out == two units fire at x if it is outside the hull of the   *)
(*                     training inputs that are not y, and is not y           *)
(*       C10_nested == a circuit that is idle on more inputs and fires at x   *)
(*                     does so on fewer: added data take detectors away only  *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c10_detector_size.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Line.

Variable R : realFieldType.
Implicit Types (a b c s t v : R) (g : R -> R).

(* The second difference of g at a, b, c: 0 if g is affine on them.           *)
Definition bend a b c g := (c - b) * g a + (b - a) * g c - (c - a) * g b.

Variables (t1 t2 t3 t4 : R).
Hypotheses (t12 : t1 < t2) (t2_lt0 : t2 < 0) (t3_gt0 : 0 < t3) (t34 : t3 < t4).

Definition ramp s b t := relu (s * t + b).

Lemma bend_off s k a b c : s * a + k <= 0 -> s * b + k <= 0 -> s * c + k <= 0 ->
  bend a b c (ramp s k) = 0.
Proof. by move=> *; rewrite /bend /ramp !relu_0 // !mulr0 addr0 subr0. Qed.

Lemma bend_on s k a b c : 0 <= s * a + k -> 0 <= s * b + k -> 0 <= s * c + k ->
  bend a b c (ramp s k) = 0.
Proof. by move=> *; rewrite /bend /ramp !relu_id //; ring. Qed.

Lemma relu_le t : t <= relu t.
Proof. by rewrite /relu le_max lexx orbT. Qed.

Lemma add_le0 a b : a <= 0 -> b <= 0 -> a + b <= 0.
Proof. by rewrite -!oppr_ge0 opprD; apply: addr_ge0. Qed.

Lemma bend_ge0 s k a b c : a <= b -> b <= c -> 0 <= bend a b c (ramp s k).
Proof.
move=> a_le_b b_le_c; have ab : 0 <= b - a by rewrite subr_ge0.
have bc : 0 <= c - b by rewrite subr_ge0.
have [off|/ltW on] := lerP (s * b + k) 0; rewrite /bend /ramp.
  by rewrite (relu_0 off) mulr0 subr0 addr_ge0 // mulr_ge0 // relu_ge0.
rewrite (relu_id on) subr_ge0.
have -> : (c - a) * (s * b + k)
  = (c - b) * (s * a + k) + (b - a) * (s * c + k) by ring.
by rewrite lerD ?ler_wpM2l ?relu_le.
Qed.

(* A unit bends on one side of 0 only.                                        *)
Lemma one_side s k :
  bend t1 t2 0 (ramp s k) = 0 \/ bend 0 t3 t4 (ramp s k) = 0.
Proof.
have t1_le0 : t1 <= 0 by rewrite ltW // (lt_trans t12).
have t4_ge0 : 0 <= t4 by rewrite ltW // (lt_trans t3_gt0).
have [t2_le0 t3_ge0] := (ltW t2_lt0, ltW t3_gt0).
have [s_ge0|/ltW s_le0] := lerP 0 s; have [k_ge0|/ltW k_le0] := lerP 0 k.
- by right; apply: bend_on; rewrite ?mulr0 ?add0r ?addr_ge0 ?mulr_ge0.
- by left; apply: bend_off; rewrite ?mulr0 ?add0r ?add_le0 ?mulr_ge0_le0.
- by left; apply: bend_on; rewrite ?mulr0 ?add0r ?addr_ge0 ?mulr_le0.
by right; apply: bend_off; rewrite ?mulr0 ?add0r ?add_le0 ?mulr_le0_ge0.
Qed.

Definition two a1 s1 k1 a2 s2 k2 t := a1 * ramp s1 k1 t + a2 * ramp s2 k2 t.

Lemma bend_two a1 s1 k1 a2 s2 k2 a b c : bend a b c (two a1 s1 k1 a2 s2 k2)
  = a1 * bend a b c (ramp s1 k1) + a2 * bend a b c (ramp s2 k2).
Proof. by rewrite /bend /two; ring. Qed.

(* The unit that bends down leaves the other to bend up on both sides.        *)
Lemma no_rise a1 s1 k1 a2 s2 k2 v : let F := two a1 s1 k1 a2 s2 k2 in a1 < 0 ->
  F t1 = v -> F t2 = v -> F t3 = v -> F t4 = v -> F 0 <= v.
Proof.
move=> F a1_lt0 F1 F2 F3 F4; rewrite leNgt; apply/negP; rewrite -subr_gt0 => e.
have left_up : 0 < bend t1 t2 0 F.
  have -> : bend t1 t2 0 F = (t2 - t1) * (F 0 - v) by rewrite /bend F1 F2; ring.
  by rewrite mulr_gt0 // subr_gt0.
have right_up : 0 < bend 0 t3 t4 F.
  have -> : bend 0 t3 t4 F = (t4 - t3) * (F 0 - v) by rewrite /bend F3 F4; ring.
  by rewrite mulr_gt0 // subr_gt0.
have up a b c : a <= b -> b <= c -> 0 < bend a b c F ->
    bend a b c (ramp s2 k2) != 0.
  move=> ab bc; rewrite /F bend_two; apply: contraTneq => ->.
  by rewrite mulr0 addr0 -leNgt mulr_le0_ge0 ?(ltW a1_lt0) // bend_ge0.
have := up _ _ _ (ltW t12) (ltW t2_lt0) left_up.
have := up _ _ _ (ltW t3_gt0) (ltW t34) right_up.
by case: (one_side s2 k2) => ->; rewrite eqxx.
Qed.

Lemma two_le a1 s1 k1 a2 s2 k2 v : let F := two a1 s1 k1 a2 s2 k2 in
  F t1 = v -> F t2 = v -> F t3 = v -> F t4 = v -> F 0 <= v.
Proof.
move=> F F1 F2 F3 F4; have [a1_lt0|a1_ge0] := ltP a1 0; first exact: no_rise.
have [a2_lt0|a2_ge0] := ltP a2 0.
  have swap t : F t = two a2 s2 k2 a1 s1 k1 t by rewrite /F /two addrC.
  by rewrite swap; apply: no_rise; rewrite // -swap.
have : 0 <= bend t2 0 t3 F.
  by rewrite bend_two addr_ge0 // mulr_ge0 // bend_ge0 ?ltW.
have -> : bend t2 0 t3 F = (t3 - t2) * (v - F 0) by rewrite /bend F2 F3; ring.
by rewrite pmulr_rge0 ?subr_ge0 // subr_gt0 (lt_trans t2_lt0).
Qed.

Lemma two_flat a1 s1 k1 a2 s2 k2 v : let F := two a1 s1 k1 a2 s2 k2 in
  F t1 = v -> F t2 = v -> F t3 = v -> F t4 = v -> F 0 = v.
Proof.
move=> F F1 F2 F3 F4; apply/eqP; rewrite eq_le two_le //=.
have opp t : two (- a1) s1 k1 (- a2) s2 k2 t = - F t.
  by rewrite /F /two; ring.
by rewrite -[v <= _]lerN2 -opp two_le // opp ?F1 ?F2 ?F3 ?F4.
Qed.

End Line.

Section TwoUnits.

Variables (R : realFieldType) (d m N : nat) (z : 'I_N -> 'rV[R]_d).
Implicit Types x u : 'rV[R]_d.

Theorem C10_nested N' (z' : 'I_N' -> 'rV[R]_d) n (theta : net R d m n) J x :
  (forall i, exists i', z' i' = z i) ->
  fires z' theta J x -> fires z theta J x.
Proof.
move=> sub [v idle_v fires_x]; exists v => // i.
by have [i' <-] := sub i; apply: idle_v.
Qed.

Theorem C10_two_sided n (theta : net R d m n) (j k : 'I_n) x u
    (i1 i2 i3 i4 : 'I_N) (t1 t2 t3 t4 : R) :
  z i1 = x + t1 *: u -> z i2 = x + t2 *: u ->
  z i3 = x + t3 *: u -> z i4 = x + t4 *: u ->
  t1 < t2 -> t2 < 0 -> 0 < t3 -> t3 < t4 -> ~ fires z theta [set j; k] x.
Proof.
move=> z1 z2 z3 z4 t12 t2_lt0 t3_gt0 t34 [v idle_v]; apply/negP; rewrite negbK.
apply/eqP/rowP => o.
have outE t : circuit_out theta [set j; k] (x + t *: u) 0 o
  = two (if j == k then 0 else outw theta j 0 o)
        (dot (inw theta j) u) (dot (inw theta j) x + bias theta j)
        (outw theta k 0 o)
        (dot (inw theta k) u) (dot (inw theta k) x + bias theta k) t.
  have actE l : act theta l (x + t *: u) = ramp (dot (inw theta l) u)
      (dot (inw theta l) x + bias theta l) t.
    by rewrite /act /ramp dotDr dotZr; congr relu; ring.
  rewrite /circuit_out /two summxE; have [->|jk] := eqVneq j k.
    rewrite mul0r add0r setUid big_set1 mxE actE mulrC //.
  rewrite big_setU1 ?inE //= big_set1 !mxE !actE.
  by rewrite mulrC [X in _ + X]mulrC.
have x0 : x = x + 0 *: u by rewrite scale0r addr0.
rewrite [in LHS]x0 outE; apply: (two_flat t12 t2_lt0 t3_gt0 t34).
- by rewrite -outE -z1 idle_v.
- by rewrite -outE -z2 idle_v.
- by rewrite -outE -z3 idle_v.
by rewrite -outE -z4 idle_v.
Qed.

Theorem C10_left_out N' (z' : 'I_N' -> 'rV[R]_d) x y : (0 < m)%N ->
  (forall i, z i = y \/ exists i', z' i' = z i) -> ~ in_hull z' x -> x != y ->
  exists theta : net R d m 2, fires z theta [set: 'I_2] x.
Proof.
move=> m_gt0 cover out x_neq_y; have [a a_neq0] := nonzero_row R m_gt0.
have [//|[w [b [wz wx]]]] := separate z' x.
pose p u := dot w u + b; pose g u := dot (x - y) (u - y).
have [py_le0|py_gt0] := lerP (p y) 0.
  exists (Net (fun=> w) (fun=> b) (fun j => if j == ord0 then a else 0) 0), 0.
    move=> i; rewrite /circuit_out big1 // => j _; rewrite /act /= relu_0.
      by rewrite scale0r.
    by have [->//|[i' <-]] := cover i; apply: wz.
  rewrite /circuit_out (eq_bigl xpredT) => [|j]; last by rewrite inE.
  rewrite !big_ord_recl big_ord0 /act /= scaler0 !addr0.
  by rewrite scaler_eq0 negb_or a_neq0 gt_eqF // relu_gt0.
pose h := Num.min (p x) (p y) / 2%:R.
have h_gt0 : 0 < h by rewrite divr_gt0 ?ltr0n // lt_min wx py_gt0.
have h_lt q : Num.min (p x) (p y) <= q -> 0 < q - h.
  move=> q_ge; rewrite subr_gt0 (lt_le_trans _ q_ge) //.
  rewrite /h ltr_pdivrMr ?ltr0n // mulr_natr mulr2n ltrDl.
  by rewrite lt_min wx py_gt0.
have hx : 0 < p x - h by rewrite h_lt // ge_min lexx.
have hy : 0 < p y - h by rewrite h_lt // ge_min lexx orbT.
pose S := 1 + \sum_i `|g (z i)|.
have S_gt0 : 0 < S by rewrite ltr_wpDr ?ltr01 // sumr_ge0.
pose e := h / S; have e_gt0 : 0 < e by rewrite divr_gt0.
have e_small i : e * g (z i) <= h.
  rewrite /e mulrAC ler_pdivrMr // ler_pM2l //.
  apply: (le_trans (ler_norm _)); rewrite /S (bigD1 i) //= addrCA lerDl.
  by rewrite addr_ge0 ?ler01 // sumr_ge0.
have gx : 0 < g x.
  suff <- : normsq (x - y) = g x by rewrite normsq_gt0 subr_eq0.
  by apply: eq_bigr => l _; rewrite expr2.
pose theta : net R d m 2 := Net
  (fun j => if j == ord0 then w else w + e *: (x - y))
  (fun j => if j == ord0 then b - h else b - h - e * dot (x - y) y)
  (fun j => if j == ord0 then a else - a) 0.
have outE u : circuit_out theta setT u
    = (relu (p u - h) - relu (p u - h + e * g u)) *: a.
  rewrite /circuit_out (eq_bigl xpredT) => [|j]; last by rewrite inE.
  rewrite !big_ord_recl big_ord0 addr0 /act /= scalerN -scalerBl.
  rewrite dotDl dotZl /p /g dotBr.
  by congr ((relu _ - relu _) *: _); ring.
exists theta, 0 => [i|]; rewrite outE.
  have [ziy|[i' zi']] := cover i.
    by rewrite ziy /g subrr dot0r mulr0 addr0 subrr scale0r.
  have p_le0 : p (z i) <= 0 by rewrite -zi'; apply: wz.
  rewrite !relu_0 ?subrr ?scale0r //.
    by rewrite -addrA add_le0 // addrC subr_le0.
  by rewrite add_le0 // oppr_le0 ltW.
rewrite scaler_eq0 negb_or a_neq0 andbT !relu_id ?(ltW hx) //; last first.
  by rewrite ltW // addr_gt0 // mulr_gt0.
by rewrite opprD addNKr oppr_eq0 gt_eqF // mulr_gt0.
Qed.

End TwoUnits.
