(******************************************************************************)
(* C23 on a grid of s^d boxes, s = r + 1, whose corners are training inputs:  *)
(* a unit changes sign on the corners of at most s^d - (s-1)^d of the boxes.  *)
(* In the others two nets that agree at the corners agree.                    *)
(*                                                                            *)
(*      X k i == coordinate k of the points with number i along axis k        *)
(*    point q == the point with number q k along each axis k                  *)
(*   number p e, corner p e == the corner of box p on the far side of the     *)
(*               axes k with e k: its numbers, and the point                  *)
(* in_box p x == x lies in box p                                              *)
(*    crossed w b == the boxes on whose corners the unit (w, b) changes sign  *)
(*    met f g == the boxes that some unit of f or g crosses                   *)
(* C23_crossed == they are at most s^d - (s-1)^d                              *)
(*   C23_share == that is at most a share d/s of s^d                          *)
(*    C23_grid == nets of n and n' units that agree on all points agree in    *)
(*               all boxes but at most (n + n') (s^d - (s-1)^d)               *)
(*    C23_cost == if they differ by t somewhere in each of M boxes, 2^d times *)
(*               the summed squared difference over all points is at least    *)
(*               t^2 (M - (n + n') (s^d - (s-1)^d))                           *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c23_confinement c23_line.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Lemma bernoulli d r s : s = r.+1 -> (s * s ^ d <= s * r ^ d + d * s ^ d)%N.
Proof.
move=> sr; elim: d => [|d IH]; first by rewrite !expn0 leq_addr.
have rs : (r ^ d <= s ^ d)%N.
  by case: (d) => [|e]; rewrite ?expn0 ?leq_exp2r // sr leqnSn.
rewrite {1}[(s ^ d.+1)%N]expnS; apply: leq_trans (leq_mul (leqnn s) IH) _.
rewrite mulnDr [(s * (d * _))%N]mulnCA -expnS [(d.+1 * _)%N]mulSn addnA.
rewrite leq_add2r mulnA {2}sr mulnS mulnDl addnC [(s * r * _)%N]mulnAC.
by rewrite -mulnA -expnSr leq_add2l [leqRHS]expnS leq_mul2l rs orbT.
Qed.

Theorem C23_share d s : (s * (s ^ d - s.-1 ^ d) <= d * s ^ d)%N.
Proof.
case: s => [|r]; first by rewrite mul0n.
by rewrite mulnBr leq_subLR bernoulli.
Qed.

Section Grid.

Variables (R : realFieldType) (d r : nat) (X : 'I_d -> nat -> R).
Hypothesis X_incr : forall k i, (i <= r)%N -> X k i < X k i.+1.

(* One box fewer along each axis: what the count leaves over.                 *)
Let box := {ffun 'I_d -> 'I_r.+1}.
Let spot := {ffun 'I_d -> 'I_r.+2}.
Let side := {ffun 'I_d -> bool}.

Definition point (q : spot) : 'rV[R]_d := \row_k X k (q k).

Lemma corner_bound (i : 'I_r.+1) (b : bool) : (i + b < r.+2)%N.
Proof. by case: b; rewrite ?addn1 ?addn0 ltnS; last exact: ltnW. Qed.

Definition number (p : box) (e : side) : spot :=
  [ffun k => Ordinal (corner_bound (p k) (e k))].

Definition corner p e := point (number p e).

Lemma cornerE p e k : corner p e 0 k = X k (p k + e k)%N.
Proof. by rewrite mxE ffunE. Qed.

Section Unit.

Variables (w : 'rV[R]_d) (b : R).

Let up : side := [ffun k => 0 <= w 0 k].
Let down : side := [ffun k => ~~ up k].

Lemma pre_le p e : dot w (corner p down) <= dot w (corner p e)
  /\ dot w (corner p e) <= dot w (corner p up).
Proof.
have X_le k (a c : bool) : (a <= c)%N -> X k (p k + a)%N <= X k (p k + c)%N.
  case: a c => [] [] // _; rewrite addn1 addn0 ltW // X_incr //.
  exact: leq_ord.
split; apply: ler_sum => k _; rewrite !cornerE !ffunE.
  have [w0|w0] := lerP 0 (w 0 k); first by rewrite ler_wpM2l ?X_le.
  by rewrite ler_wnM2l ?(ltW w0) ?X_le ?leq_b1.
have [w0|w0] := lerP 0 (w 0 k); first by rewrite ler_wpM2l ?X_le ?leq_b1.
by rewrite ler_wnM2l ?(ltW w0) ?X_le.
Qed.

Definition crossed := [set p : box | crosses (corner p) w b].

Lemma crossedE p : (p \in crossed)
  = (dot w (corner p down) + b < 0) && (0 < dot w (corner p up) + b).
Proof.
rewrite inE; apply/existsP/andP => [[e /existsP[e' /andP[lt0 gt0]]]|[lt0 gt0]].
  split; first by apply: le_lt_trans lt0; rewrite lerD2r; case: (pre_le p e).
  by apply: lt_le_trans gt0 _; rewrite lerD2r; case: (pre_le p e').
by exists down; apply/existsP; exists up; rewrite lt0.
Qed.

(* The box at p of the smaller grid, or the next one along the diagonal.      *)
Definition place (c : bool) (p : {ffun 'I_d -> 'I_r}) : box :=
  [ffun k => if c == up k then lift ord0 (p k) else widen_ord (leqnSn r) (p k)].

Lemma place_nat c p k : place c p k = (p k + (c == up k))%N :> nat.
Proof. by rewrite ffunE; case: eqP => _ /=; rewrite ?addn0 ?addn1. Qed.

Lemma place_inj c : injective (place c).
Proof.
move=> p q /ffunP E; apply/ffunP=> k; apply/val_inj/eqP.
by rewrite -(eqn_add2r (c == up k)) -!place_nat E.
Qed.

Lemma place_meet p : corner (place false p) up = corner (place true p) down.
Proof.
apply/rowP=> k; rewrite !cornerE !place_nat [down k]ffunE.
by case: (up k); rewrite ?addn0 ?addn1.
Qed.

(* Of two such boxes one at most is crossed; their common corner says which.  *)
Definition spared p := place (0 < dot w (corner (place false p) up) + b) p.

Lemma spared_not_crossed p : spared p \notin crossed.
Proof.
rewrite crossedE negb_and -!leNgt /spared; case: ltP => [gt0|le0].
  by rewrite -place_meet (ltW gt0).
by rewrite le0 orbT.
Qed.

Lemma spared_inj : injective spared.
Proof.
have no p q : place true p = place false q ->
    0 < dot w (corner (place false p) up) + b ->
    dot w (corner (place false q) up) + b <= 0 -> False.
  move=> E + le0; rewrite ltNge => /negP; apply; apply: le_trans le0.
  rewrite place_meet E lerD2r.
  by case: (pre_le (place false q) down).
move=> p q; rewrite /spared; case: ltP => sp; case: ltP => sq E.
- exact: place_inj E.
- by case: (no p q).
- by case: (no q p).
- exact: place_inj E.
Qed.

Theorem C23_crossed : (#|crossed| <= r.+1 ^ d - r ^ d)%N.
Proof.
have -> : (r.+1 ^ d = #|{: box}|)%N by rewrite card_ffun !card_ord.
have -> : (r ^ d = #|codom spared|)%N.
  by rewrite card_codom ?card_ffun ?card_ord //; apply: spared_inj.
have <- : (#|{: box}| - #|~: crossed| = #|crossed|)%N.
  by rewrite -(cardsC crossed) addnK.
apply: leq_sub2l; apply: subset_leq_card; apply/subsetP => _ /codomP[p ->].
by rewrite inE spared_not_crossed.
Qed.

End Unit.

Definition in_box (p : box) (x : 'rV[R]_d) :=
  forall k, X k (p k) <= x 0 k <= X k (p k).+1.

(* A product over the axes of what is 1 - s k or s k is 1 in all.             *)
Lemma sum_sides (s : 'I_d -> R) (a : 'I_d -> bool -> R) :
  \sum_(e : side) \prod_k (part (s k) (e k) * a k (e k))
  = \prod_k ((1 - s k) * a k false + s k * a k true).
Proof.
rewrite (eq_bigr (fun k => \sum_c part (s k) c * a k c)).
  by rewrite bigA_distr_bigA.
by move=> k _; rewrite big_bool /= addrC.
Qed.

(* Every point of a box is an average of its corners.                         *)
Lemma box_mix p x : in_box p x ->
  exists2 l : side -> R, weights l & x = mix l (corner p).
Proof.
move=> x_in.
have /fin_all_exists[s s_ok] k : exists s, (0 <= s <= 1)
    && (x 0 k == (1 - s) * X k (p k) + s * X k (p k).+1).
  have [s s01 E] := between (X_incr k (leq_ord (p k))) (x_in k).
  by exists s; rewrite s01 E /=.
have s01 k : 0 <= s k <= 1 by case/andP: (s_ok k).
pose l (e : side) := \prod_k part (s k) (e k).
have one k : (1 - s k) * 1 + s k * 1 = 1 by rewrite !mulr1 subrK.
exists l; [split=> [e|]|apply/rowP=> k].
- by apply: prodr_ge0 => k _; case: (part_weights (s01 k)).
- transitivity (\prod_k ((1 - s k) * 1 + s k * 1)); last by apply: big1.
  rewrite -(sum_sides s (fun _ _ => 1)); apply: eq_bigr => e _.
  by apply: eq_bigr => k _; rewrite mulr1.
have /andP[_ /eqP ->] := s_ok k; rewrite summxE.
pose a k' (c : bool) := if k' == k then X k (p k + c)%N else 1.
transitivity (\prod_k' ((1 - s k') * a k' false + s k' * a k' true)).
  rewrite (bigD1 k) //= big1 => [|k' /negbTE k'k]; last by rewrite /a k'k.
  by rewrite /a eqxx mulr1 addn0 addn1.
rewrite -sum_sides; apply: eq_bigr => e _; rewrite big_split mxE cornerE.
congr (_ * _); rewrite (bigD1 k) //= big1 => [|k' /negbTE k'k].
  by rewrite /a eqxx mulr1.
by rewrite /a k'k.
Qed.

Section Nets.

Variables (m n n' : nat) (f : net R d m n) (g : net R d m n').

Let most := ((n + n') * (r.+1 ^ d - r ^ d))%N.

Definition met := [set p : box |
  [exists j, p \in crossed (units f g j).1 (units f g j).2]].

Lemma card_met : (#|met| <= most)%N.
Proof.
rewrite /most -card_units; apply: card_hit => j.
apply: leq_trans (C23_crossed (units f g j).1 (units f g j).2).
by apply: subset_leq_card; apply/subsetP => p; rewrite inE.
Qed.

Lemma not_met p : p \notin met -> cell (corner p) f /\ cell (corner p) g.
Proof.
rewrite inE negb_exists => /forallP no; apply: cells => j.
by have := no j; rewrite inE.
Qed.

Theorem C23_grid :
  (forall q, eval f (point q) = eval g (point q)) ->
  exists S : {set box}, (#|S| <= (n + n') * (r.+1 ^ d - r ^ d))%N /\
  forall p, p \notin S -> forall x, in_box p x -> eval f x = eval g x.
Proof.
move=> agree; exists met; split=> [|p /not_met[cf cg] x]; first exact: card_met.
case/box_mix=> l wl ->; apply/eqP; rewrite -subr_eq0 C23_confinement //.
by rewrite /mix big1 // => e _; rewrite agree subrr scaler0.
Qed.

Let off q := normsq (eval f (point q) - eval g (point q)).

Lemma off_box p x t : p \notin met -> in_box p x ->
  t <= normsq (eval f x - eval g x) -> t <= \sum_e off (number p e).
Proof.
move=> /not_met[cf cg] /box_mix[l wl ->] /le_trans; apply.
apply: le_trans (C23_price wl cf cg) _; apply: ler_sum => e _.
apply: ler_piMl; first exact: normsq_ge0.
rewrite -wl.2 (bigD1 e) //= lerDl; apply: sumr_ge0 => e' _.
by case: wl.
Qed.

Lemma number_inj e : injective (fun p => number p e).
Proof.
move=> p q /ffunP E; apply/ffunP=> k; apply/val_inj/eqP.
by have /(congr1 val)/eqP := E k; rewrite !ffunE /= eqn_add2r.
Qed.

Lemma sum_corners :
  \sum_p \sum_e off (number p e) <= 2%:R ^+ d * \sum_q off q.
Proof.
rewrite exchange_big /=.
have -> : 2%:R ^+ d * (\sum_q off q) = \sum_(e : side) \sum_q off q.
  by rewrite sumr_const card_ffun card_bool card_ord -natrX mulr_natl.
apply: ler_sum => e _.
rewrite -(big_imset off (in2W (@number_inj e))) /=.
rewrite [leRHS](bigID (mem [set number p e | p in predT])) /= lerDl.
by apply: sumr_ge0 => q _; apply: normsq_ge0.
Qed.

Theorem C23_cost (D : {set box}) (t : R) :
  (forall p, p \in D -> exists2 x, in_box p x &
    t ^+ 2 <= normsq (eval f x - eval g x)) ->
  t ^+ 2 * (#|D|%:R - ((n + n') * (r.+1 ^ d - r ^ d))%:R)
  <= 2%:R ^+ d * \sum_q normsq (eval f (point q) - eval g (point q)).
Proof.
move=> differ; apply: le_trans sum_corners.
apply: (@le_trans _ _ (\sum_(p in D :\: met) t ^+ 2)); last first.
  rewrite [leRHS](bigID (mem (D :\: met))) /= -[leLHS]addr0.
  apply: lerD; last first.
    by apply: sumr_ge0 => p _; apply: sumr_ge0 => e _; apply: normsq_ge0.
  apply: ler_sum => p; rewrite inE => /andP[p_met /differ[x x_in le_t]].
  exact: off_box x_in le_t.
rewrite sumr_const -[leRHS]mulr_natr ler_wpM2l ?sqr_ge0 // lerBlDr.
rewrite -natrD ler_nat.
rewrite -(cardsID met D) addnC leq_add2l; apply: leq_trans card_met.
exact/subset_leq_card/subsetIr.
Qed.

End Nets.

End Grid.
