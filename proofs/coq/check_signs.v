(******************************************************************************)
(* Checkers of bounds for all nets with one output and n units: for each of   *)
(* them some list r of weights of the points has sum_i r_i f(z_i) <= 0, but   *)
(* for the shift. A tree splits the units' weights and biases by the signs    *)
(* that w . z_i + b has; the multipliers in it are those of Farkas' lemma.    *)
(*                                                                            *)
(*   vanishes d ps == the sum of q (w . p + b) over ps is 0 for all w and b   *)
(*   steps == signs of w . p + b at points p: true is >= 0, false is <= 0     *)
(*  follows d s rs steps ls == the sum of q (w . p + b) over rs is at most 0  *)
(*                    where the steps hold, by the multipliers ls             *)
(*   tree == Leaf up down, Known s p ls t, Split p t t: up and down hold the  *)
(*                    multipliers for each list r that serves units there     *)
(*                    whose output weight is >= 0, or <= 0                    *)
(* check_tree, check_every == each leaf is right, and for n units of any      *)
(*                    kinds some list serves all of them                      *)
(*  check_signs d zs rs n t == both                                           *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ ring.
From absence Require Import net compute check_nets check_losses check_points.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Definition lfold (s : seq Q) := foldr (oadd Qops) Q0 s.

Definition vanishes (d : nat) (ps : seq (Q * seq Q)) :=
  [&& all (fun p => size p.2 == d) ps,
      lsame (lsum d [seq lscale Qops p.1 p.2 | p <- ps]) (nseq d Q0)
    & Qeq_bool (lfold [seq p.1 | p <- ps]) Q0].

Definition steps := seq (bool * seq Q).

Definition signed (s : bool) (q : Q) := if s then q else oopp Qops q.

Definition weighed (ls : seq Q) (path : steps) : seq (Q * seq Q) :=
  [seq (signed e.2.1 e.1, e.2.2) | e <- zip ls path].

Definition follows d (s : bool) (ps : seq (Q * seq Q)) path ls :=
  all (fun l => ~~ lneg l) ls
  && vanishes d ([seq (signed s p.1, p.2) | p <- ps] ++ weighed ls path).

Fixpoint sign_at (path : steps) (z : seq Q) : option bool :=
  if path is (s, p) :: path' then
    if lsame p z then Some s else sign_at path' z else None.

Definition is_known path z := if sign_at path z is Some _ then true else false.
Definition is_on path z := if sign_at path z is Some s then s else false.

Inductive tree :=
  | Leaf of seq (option (seq Q)) & seq (option (seq Q))
  | Known of bool & seq Q & seq Q & tree
  | Split of seq Q & tree & tree.

Section Tree.

Variables (d : nat) (zs : seq (seq Q)) (rs : seq (seq Q)).

Definition serves path s r (o : option (seq Q)) :=
  if o is Some ls then
    follows d s [seq p <- zip r zs | is_on path p.2] path ls else true.

Definition serving path s os :=
  (size os == size rs) && all (fun p => serves path s p.1 p.2) (zip rs os).

Fixpoint check_tree path t :=
  match t with
  | Leaf up down => [&& all (is_known path) zs, serving path true up
                      & serving path false down]
  | Known s p ls t =>
    follows d false [:: (signed s one, p)] path ls
    && check_tree ((s, p) :: path) t
  | Split p t t' =>
    check_tree ((true, p) :: path) t && check_tree ((false, p) :: path) t'
  end.

Fixpoint kinds t : seq (seq bool) :=
  match t with
  | Leaf up down => [:: map isSome up; map isSome down]
  | Known _ _ _ t => kinds t
  | Split _ t t' => kinds t ++ kinds t'
  end.

Definition both (k l : seq bool) := [seq p.1 && p.2 | p <- zip k l].

Fixpoint left_over n (ks : seq (seq bool)) : seq (seq bool) :=
  if n is n'.+1
  then undup [seq both l k | l <- left_over n' ks, k <- ks]
  else [:: nseq (size rs) true].

Definition check_every n t := all (has id) (left_over n (undup (kinds t))).

Definition check_signs n t := check_tree [::] t && check_every n t.

End Tree.

Local Open Scope ring_scope.

Section Correct.

Variables (R : realFieldType) (d : nat).
Local Notation ratio := (ratio R).
Local Notation vec := (vec R d).
Local Arguments int_of_Z : simpl never.

Definition level (w : 'rV[R]_d) (b : R) (p : seq Q) := dot w (vec p) + b.

Lemma vec_lscale a p : size p = d -> vec (lscale Qops a p) = ratio a *: vec p.
Proof.
move=> p_d; apply: row_inj; rewrite -lscale_row (row_vec _ p_d) ratio_lscale.
by rewrite row_vec // size_map.
Qed.

Lemma lsum_vec (s : seq (seq Q)) : all (fun v => size v == d) s ->
  map ratio (lsum d s) = row (\sum_(v <- s) vec v).
Proof.
elim: s => [_|v s IH /= /andP[/eqP v_d /IH sE]].
  rewrite big_nil map_nseq ratio0 /row; under eq_map do rewrite mxE.
  by rewrite -{1}(size_enum_ord d); elim: (enum _) => //= ? ? ->.
by rewrite big_cons -lvadd_row -sE (row_vec _ v_d) lvadd_ratio.
Qed.

Lemma vanishesP ps w b :
  vanishes d ps -> \sum_(p <- ps) ratio p.1 * level w b p.2 = 0.
Proof.
case/and3P=> sizes same sum0.
have -> : \sum_(p <- ps) ratio p.1 * level w b p.2
    = dot w (\sum_(p <- ps) vec (lscale Qops p.1 p.2))
      + b * \sum_(p <- ps) ratio p.1.
  rewrite dot_sumr mulr_sumr -big_split /=.
  elim: ps sizes {same sum0} => [|p ps IH] /=; first by rewrite !big_nil.
  case/andP=> /eqP p_d /IH; rewrite !big_cons => ->; congr (_ + _).
  by rewrite vec_lscale // dotZr /level mulrDr [b * _]mulrC.
move: sum0; rewrite -(ratioP R) ratio0 /lfold ratio_sum => /eqP->.
rewrite mulr0 addr0; suff -> : \sum_(p <- ps) vec (lscale Qops p.1 p.2) = 0.
  by rewrite dot0r.
have scaled : all (fun v => size v == d) [seq lscale Qops p.1 p.2 | p <- ps].
  by rewrite all_map; apply: sub_all sizes => p /=; rewrite size_map.
have := lsum_vec scaled; rewrite big_map => sumE.
apply: row_inj; rewrite -sumE; move: same; rewrite -(lsameP R) => /eqP->.
by have := lsum_vec (s := [::]) isT; rewrite big_nil.
Qed.

Definition sgn (s : bool) (t : R) := if s then t else - t.

Lemma ratio_signed s q : ratio (signed s q) = sgn s (ratio q).
Proof. by case: s => //=; rewrite ratioN. Qed.

Lemma sgnM s (t u : R) : sgn s t * u = sgn s (t * u).
Proof. by case: s => //=; rewrite mulNr. Qed.

Section Unit.

Variables (w : 'rV[R]_d) (b : R).
Local Notation h := (level w b).

Definition holds (path : steps) := all (fun e => 0 <= sgn e.1 (h e.2)) path.

Lemma weighed_ge0 ls path : all (fun l => ~~ lneg l) ls -> holds path ->
  0 <= \sum_(p <- weighed ls path) ratio p.1 * h p.2.
Proof.
elim: ls path => [|l ls IH] [|e path] //=; rewrite ?big_nil //.
case/andP=> l_ge0 ls_ge0 /andP[e_ge0 path_ge0].
rewrite big_cons /= addr_ge0 ?IH //; move: e_ge0; rewrite ratio_signed sgnM.
have := ratio_ge0 R l; rewrite l_ge0 => {}l_ge0.
by case: e.1 => /= e_ge0; rewrite -?mulrN; apply: mulr_ge0.
Qed.

Lemma followsP s ps path ls : follows d s ps path ls -> holds path ->
  sgn s (\sum_(p <- ps) ratio p.1 * h p.2) <= 0.
Proof.
case/andP=> ls_ge0 /vanishesP-/(_ w b) zero path_ge0; move: zero.
rewrite big_cat big_map /=.
under eq_bigr => p _ do rewrite ratio_signed sgnM.
have -> : \sum_(p <- ps) sgn s (ratio p.1 * h p.2)
    = sgn s (\sum_(p <- ps) ratio p.1 * h p.2).
  by case: (s); rewrite //= sumrN.
by move/eqP; rewrite addr_eq0 => /eqP->; rewrite oppr_le0 weighed_ge0.
Qed.

Lemma sign_at_relu path z : holds path -> is_known path z ->
  relu (h z) = if is_on path z then h z else 0.
Proof.
rewrite /is_known /is_on; elim: path => [//|[s p] path IH] /= /andP[sp /IH{}IH].
case: ifP => [/vec_same-/(_ R d) pz _|_]; last exact: IH.
have <- : h p = h z by rewrite /level pz.
case: s sp => /= hp; first by rewrite relu_id.
by rewrite relu_0 // -oppr_ge0.
Qed.

Variables (zs rs : seq (seq Q)).

Definition pull (r : seq Q) : R :=
  \sum_(p <- zip r zs) ratio p.1 * relu (h p.2).

Lemma pullE path r : holds path -> all (is_known path) zs ->
  pull r = \sum_(p <- [seq p <- zip r zs | is_on path p.2]) ratio p.1 * h p.2.
Proof.
move=> path_ge0 known; rewrite big_filter /pull [RHS]big_mkcond.
have : all (fun p => is_known path p.2) (zip r zs).
  elim: (r) (zs) known => [|q q' IH] [|z z'] //= /andP[-> /IH->] //.
elim: (zip r zs) => [|p ps IH]; rewrite ?big_nil //= => /andP[p_known /IH].
rewrite !big_cons => ->; congr (_ + _); rewrite (sign_at_relu path_ge0) //.
by case: ifP => // _; rewrite mulr0.
Qed.

Lemma servingP path s os i : holds path -> all (is_known path) zs ->
    serving d zs rs path s os -> nth false (map isSome os) i ->
  sgn s (pull (nth [::] rs i)) <= 0.
Proof.
move=> path_ge0 known /andP[/eqP size_os /(all_nthP ([::], None)) ok].
have [i_lt|i_ge] := ltnP i (size os); last first.
  by rewrite nth_default // size_map.
rewrite (nth_map None) // => some.
have := ok i; rewrite size_zip size_os minnn -size_os => /(_ i_lt).
rewrite nth_zip //= /serves; case: (nth None os i) some => // ls _.
by move/followsP/(_ path_ge0); rewrite -(pullE (nth [::] rs i) path_ge0 known).
Qed.

Lemma treeP path t a : check_tree d zs rs path t -> holds path ->
  exists2 k, k \in kinds t
  & forall i, nth false k i -> a * pull (nth [::] rs i) <= 0.
Proof.
elim: t path => [up down|s p ls t IH|p t IHt t' IHt'] path /=.
- case/and3P=> known ok_up ok_down path_ge0.
  have [a_ge0|a_lt0] := leP 0 a.
    exists (map isSome up); first by rewrite inE eqxx.
    move=> i /(servingP path_ge0 known ok_up) /= le0.
    by rewrite mulr_ge0_le0.
  exists (map isSome down); first by rewrite !inE eqxx orbT.
  move=> i /(servingP path_ge0 known ok_down) /=; rewrite oppr_le0 => ge0.
  by rewrite mulr_le0_ge0 // ltW.
- case/andP=> ok_p ok_t path_ge0; apply: IH ok_t _ => /=.
  rewrite path_ge0 andbT; have := followsP ok_p path_ge0.
  rewrite big_seq1 /= ratio_signed ratio_nat sgnM mul1r oppr_le0.
  by [].
case/andP=> ok ok' path_ge0; have [p_ge0|p_lt0] := leP 0 (h p).
  have [|k k_t kP] := IHt _ ok; first by rewrite /= p_ge0.
  by exists k; rewrite // mem_cat k_t.
have [|k k_t kP] := IHt' _ ok'; first by rewrite /= path_ge0 oppr_ge0 ltW.
by exists k; rewrite // mem_cat k_t orbT.
Qed.

End Unit.

Lemma left_overP rs (ks : seq (seq bool)) (s : seq (seq bool)) :
    {subset s <= ks} -> exists2 l, l \in left_over rs (size s) ks
  & forall i, nth false l i ->
    (i < size rs)%N && all (fun k => nth false k i) s.
Proof.
elim: s => [|k s IH] s_ks.
  exists (nseq (size rs) true); first by rewrite inE.
  by move=> i; rewrite nth_nseq; case: ifP.
have [|l l_left lP] := IH.
  by move=> j j_s; apply: s_ks; rewrite inE j_s orbT.
exists (both l k).
  rewrite mem_undup; apply/allpairsP; exists (l, k); split=> //.
  by apply: s_ks; rewrite inE eqxx.
move=> i; rewrite /both; have [i_lt|i_ge] := ltnP i (size (zip l k)).
  rewrite (nth_map (false, false)) //.
  rewrite nth_zip_cond i_lt /= => /andP[/lP/andP[-> ->] ->].
  by [].
by rewrite nth_default // size_map.
Qed.

Theorem C22_check_signs zs rs n t (theta : net R d 1 n) :
    check_signs d zs rs n t ->
  exists2 i, (i < size rs)%N
  & \sum_(p <- zip (nth [::] rs i) zs)
      ratio p.1 * (eval theta (vec p.2) 0 0 - shift theta 0 0) <= 0.
Proof.
case/andP=> tree_ok /allP every.
have kind j : exists k, k \in kinds t /\ forall i, nth false k i ->
    outw theta j 0 0 * pull (inw theta j) (bias theta j) zs (nth [::] rs i)
    <= 0.
  have [|k k_t kP] := @treeP (inw theta j) (bias theta j) _ _ [::] t
    (outw theta j 0 0) tree_ok; by [|exists k].
have [f fP] := fin_all_exists kind.
pose s := [seq f j | j <- enum 'I_n].
have s_kinds : {subset s <= undup (kinds t)}.
  by move=> k /mapP[j _ ->]; rewrite mem_undup; have [] := fP j.
have [l l_left lP] := left_overP rs s_kinds.
rewrite size_map size_enum_ord in l_left.
have /(nth_find false) := every l l_left.
set i := find _ _ => /lP/andP[i_lt all_f].
exists i => //; under eq_bigr => p _.
  rewrite /eval mxE [shift _ _ _ + _]addrC addrK summxE mulr_sumr.
  under eq_bigr => j _ do rewrite mxE /act mulrA mulrC.
  over.
rewrite exchange_big -oppr_ge0 -sumrN; apply: sumr_ge0 => j _.
rewrite oppr_ge0 -mulr_sumr.
have [_] := fP j; apply.
by move/allP: all_f => /(_ (f j)) -> //; rewrite map_f ?mem_enum.
Qed.

End Correct.
