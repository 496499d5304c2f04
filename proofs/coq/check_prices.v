(******************************************************************************)
(* Checkers of leverages and readout prices on a hidden layer of a deep net,  *)
(* over integers: M = Phi^T Phi with a penalty, row by row; leverages that    *)
(* solve its equations, or bounds of them by a factor, as in c21_factor.v.    *)
(*                                                                            *)
(* feature_row == (1, phi_1, .., phi_n) at a row, over the scale of the layer *)
(* normal == the scaled layers, 1 over the scale, and M                       *)
(* nle a b == a <= b, for numbers; nmul a b == a b                            *)
(* check_lever_at M w den f h == M w = den f, and h = w . f / den             *)
(* check_near M T omega delta == near, of T^T M T                             *)
(* check_bounds T omega delta f lo hi == the bounds are those of the factor   *)
(* check_dear N lo hi low high t2 == t^2 / (N h) lies between low and high,   *)
(*                                   for h between lo and hi                  *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ ring.
From absence Require Import net compute check_nets check_deep c2_deep check_chains check_integers
  check_rough check_audits check_units check_hulls c21_leverage c21_readout_price c21_factor.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Local Notation llayer := check_deep.layer.

Definition plus_outer (v : seq Z) (acc : seq (seq Z)) :=
  [seq [seq Z.add q.1 (Z.mul p.2 q.2) | q <- zip p.1 v] | p <- zip acc v].

Fixpoint gram_rows (f : Z -> option (seq Z)) (i : Z) (n : nat) (acc : seq (seq Z)) :=
  if n is n'.+1 then
    if f i is Some v then gram_rows f (Z.succ i) n' (plus_outer v acc) else None
  else Some acc.

Definition diagonal (c : nat) (l : Z) :=
  mkseq (fun a => mkseq (fun b => if (a == b) && (0 < a)%N then l else Z0) c) c.

Definition feature_row (d : nat) (s : scale) (n : Z) (get : Z -> seq number) (zs : seq (llayer Z))
    (k : nat) (one : Z) (c : nat) (i : Z) : option (seq Z) :=
  if row_at d s n get i is Some x then
    let v := one :: zforward (take k.+1 zs) x in if size v == c then Some v else None
  else None.

Definition whole (a : Z) := Number a Z0 (Zpos xH).

Definition normal (s : scale) (es : seq scale) (d m : nat) (ls : seq (llayer number))
    (out : llayer number) (N : nat) (get : Z -> seq number) (k c : nat) (l : number) :=
  if [&& proper s, linked d ls out, size out == m & (k < size ls)%N] then
    if over_layers s es (rcons ls out) is Some zs then
      let t := scale_at s (take k.+1 es) in
      if over t (whole (Zpos xH)) is Some one then
        if over (times t t) l is Some zl then
          if Z.leb Z0 zl then
            if gram_rows (feature_row d s (Z.of_nat N) get zs k one c) Z0 N (diagonal c zl) is Some M
            then Some (zs, one, M) else None
          else None
        else None
      else None
    else None
  else None.

Definition nmul (a b : number) :=
  Number (Z.mul (mantissa a) (mantissa b)) (Z.add (exponent a) (exponent b))
         (Z.mul (divisor a) (divisor b)).

Definition nle (a b : number) : bool :=
  let p := Z.mul (mantissa a) (divisor b) in
  let q := Z.mul (mantissa b) (divisor a) in
  [&& Z.ltb Z0 (divisor a), Z.ltb Z0 (divisor b)
    & if Z.leb (exponent b) (exponent a) then Z.leb (Z.shiftl p (Z.sub (exponent a) (exponent b))) q
      else Z.leb p (Z.shiftl q (Z.sub (exponent b) (exponent a)))].

Definition check_lever_at (c : nat) (M : seq (seq Z)) (w : seq Z) (den : Z) (f : seq Z) (h : number) :=
  [&& Z.ltb Z0 den, size w == c,
      zsame [seq zdot Z0 r w | r <- M] [seq Z.mul den a | a <- f]
    & nle h (Number (zdot Z0 w f) Z0 den) && nle (Number (zdot Z0 w f) Z0 den) h].

Definition products (M T : seq (seq Z)) :=
  let MT := [seq [seq zdot Z0 r t | r <- M] | t <- T] in
  [seq [seq zdot Z0 t mt | mt <- MT] | t <- T].

Definition off_row (omega : Z) (q i : nat) (g : seq Z) :=
  mkseq (fun j => Z.sub (nth Z0 g j) (if i == j then omega else Z0)) q.

Definition check_near (c : nat) (M T : seq (seq Z)) (omega delta : Z) :=
  let q := size T in
  all (fun t => size t == c) T &&
  all (fun ig => Z.leb (zsizes (off_row omega q ig.1 ig.2)) delta)
      (zip (iota 0 q) (products M T)).

Definition square_of (T : seq (seq Z)) (f : seq Z) :=
  let psi := [seq zdot Z0 t f | t <- T] in zdot Z0 psi psi.

Definition check_bounds (c : nat) (T : seq (seq Z)) (omega delta : Z) (f : seq Z) (lo : number)
    (hi : option number) :=
  let sq := whole (square_of T f) in
  [&& Z.ltb Z0 (Z.add omega delta), nle (nmul lo (whole (Z.add omega delta))) sq
    & if hi is Some hi then
        [&& size T == c, Z.ltb delta omega & nle sq (nmul hi (whole (Z.sub omega delta)))]
      else true].

Definition check_dear (N : nat) (lo : number) (hi : option number) (low : number)
    (high : option number) (t2 : number) :=
  let n := whole (Z.of_nat N) in
  [&& nle (whole Z0) low, nle (whole Z0) t2,
      (if hi is Some hi then nle (nmul (nmul low n) hi) t2 else nle low (whole Z0))
    & if high is Some high then nle (whole Z0) high && nle t2 (nmul (nmul high n) lo) else true].

Local Open Scope ring_scope.

Section Correct.

Variable R : realFieldType.
Local Notation value := (value R).
Local Notation vlayer := (value_layer R).
Local Notation Rops := (Rops R).
Local Notation zr := (zr R).

Lemma value_whole a : value (whole a) = zr a.
Proof. by rewrite /value /= /two expr0z mulr1 (_ : zr (Zpos xH) = 1) ?divr1. Qed.

Lemma value_nmul a b : value (nmul a b) = value a * value b.
Proof.
rewrite /value /= !zrM twoD invfM; move: (zr (divisor a))^-1 (zr (divisor b))^-1 => u v.
move: (zr _) (zr _) (two _ _) (two _ _) => x y p q; ring.
Qed.

Lemma nleP a b : nle a b -> value a <= value b.
Proof.
case/and3P=> qa qb; have [a0 b0] : 0 < zr (divisor a) /\ 0 < zr (divisor b) by rewrite !zr_gt0.
rewrite /value ler_pdivrMr // mulrAC ler_pdivlMr // mulrAC [leRHS]mulrAC -!zrM.
case: (Z.leb_spec0 (exponent b) (exponent a)) => [le_e|gt_e] H.
  have -> : two R (exponent a) = zr (Z.pow 2 (Z.sub (exponent a) (exponent b))) * two R (exponent b).
    by rewrite zr_pow -?twoD; [congr two|]; lia.
  rewrite mulrA ler_pM2r ?two_gt0 // -zrM zr_le.
  by rewrite -Z.shiftl_mul_pow2 //; lia.
have -> : two R (exponent b) = zr (Z.pow 2 (Z.sub (exponent b) (exponent a))) * two R (exponent a).
  by rewrite zr_pow -?twoD; [congr two|]; lia.
rewrite mulrA ler_pM2r ?two_gt0 // -zrM zr_le.
by rewrite -Z.shiftl_mul_pow2 //; lia.
Qed.

Lemma zdot_sum n u v : size u = n -> size v = n ->
  zr (zdot Z0 u v) = \sum_(a < n) zr (nth Z0 u a) * zr (nth Z0 v a).
Proof.
move=> <-; elim: u v => [|a u IH] [|b v] //=; first by rewrite big_ord0 zr0.
move=> [uv]; rewrite -[if _ then _ else _]/(zdot Z0 (a :: u) (b :: v)) zdot_cons zdotE zrM.
by rewrite (IH v uv) big_ord_recl.
Qed.

Lemma zr_abs a : zr (Z.abs a) = `|zr a|.
Proof.
case: (Z.leb_spec0 Z0 a) => [ge0|lt0].
  by rewrite Z.abs_eq // ger0_norm // -(zr0 R) zr_le; apply/Z.leb_spec0.
by rewrite Z.abs_neq ?zrN ?ler0_norm // -?(zr0 R) ?zr_le; [apply/Z.leb_spec0|]; lia.
Qed.

Lemma zsizes_sum u : zr (zsizes u) = \sum_(a < size u) `|zr (nth Z0 u a)|.
Proof.
have acc v b : zr (foldl (fun s a => Z.add s (Z.abs a)) b v) = zr b + zr (zsizes v).
  elim: v b => [|a v IH] b; first by rewrite /= zr0 addr0.
  rewrite [in RHS]/zsizes /= [in RHS]IH [LHS]IH !zrD ?zr0 ?add0r; exact/esym/addrA.
elim: u => [|a u IH]; first by rewrite big_ord0 zr0.
by rewrite /zsizes /= acc ?zrD ?zr0 ?add0r zr_abs IH big_ord_recl.
Qed.

Definition zmatrix n q (us : seq (seq Z)) : 'M[R]_(n, q) :=
  \matrix_(i, j) zr (nth Z0 (nth [::] us i) j).

Definition zvector n (v : seq Z) : 'rV[R]_n := \row_j zr (nth Z0 v j).

Definition square c (us : seq (seq Z)) := (size us == c) && all (fun u => size u == c) us.

Lemma plus_outerP c v acc : size v = c -> square c acc ->
  square c (plus_outer v acc) /\
  zmatrix c c (plus_outer v acc) = zmatrix c c acc + (zvector c v)^T *m zvector c v.
Proof.
move=> v_c /andP[/eqP acc_c /(all_nthP [::]) rows].
have z_c : size (zip acc v) = c by rewrite size_zip acc_c v_c minnn.
have row_c a : (a < c)%N -> size (nth [::] acc a) = c by move=> a_c; apply/eqP/rows; rewrite acc_c.
have entry a : (a < c)%N -> nth [::] (plus_outer v acc) a
    = [seq Z.add q.1 (Z.mul (nth Z0 v a) q.2) | q <- zip (nth [::] acc a) v].
  by move=> a_c; rewrite (nth_map ([::], Z0)) ?z_c // nth_zip ?acc_c.
split.
  rewrite /square size_map z_c eqxx; apply/(all_nthP [::])=> a; rewrite size_map z_c => a_c.
  by rewrite entry // size_map size_zip row_c // v_c minnn.
apply/matrixP=> a b; rewrite !mxE big_ord1 !mxE entry //.
have zz : size (zip (nth [::] acc a) v) = c by rewrite size_zip row_c // v_c minnn.
by rewrite (nth_map (Z0, Z0)) ?zz // nth_zip ?row_c ?v_c //= zrD zrM.
Qed.

Lemma gram_rowsP c f i n acc M : gram_rows f (Z.of_nat i) n acc = Some M -> square c acc ->
    (forall j v, f j = Some v -> size v = c) ->
  square c M /\ exists vs : nat -> seq Z,
    (forall e, (e < n)%N -> f (Z.of_nat (i + e)) = Some (vs e)) /\
    zmatrix c c M = zmatrix c c acc + \sum_(e < n) (zvector c (vs e))^T *m zvector c (vs e).
Proof.
move=> run acc_c f_c; elim: n i acc run acc_c => [|n IH] i acc /=.
  by move=> [<-] acc_c; split=> //; exists (fun=> [::]); split=> //; rewrite big_ord0 addr0.
case E: (f _) => [v|//]; rewrite -Nat2Z.inj_succ => run acc_c.
have [out_c outE] := plus_outerP (f_c _ _ E) acc_c.
have [M_c [vs [vsE ME]]] := IH _ _ run out_c; split=> //.
exists (fun e => if e is e'.+1 then vs e' else v); split=> [[_|e e_n]|]; first by rewrite addn0.
  by rewrite -addSnnS vsE.
by rewrite ME outE -addrA big_ord_recl.
Qed.

Lemma diagonalP c l : square c (diagonal c l) /\
  zmatrix c c (diagonal c l) = diag_mx (\row_a if (0 < val a)%N then zr l else 0).
Proof.
split.
  rewrite /square size_mkseq eqxx; apply/(all_nthP [::])=> a; rewrite size_mkseq => a_c.
  by rewrite nth_mkseq // size_mkseq.
apply/matrixP=> a b; rewrite !mxE nth_mkseq // nth_mkseq // -[val a == val b]/(a == b).
by case: eqP => [->|_] /=; [case: ifP; rewrite mulr1n ?zr0|rewrite mulr0n zr0].
Qed.

Theorem C21_check_dear N lo hi low high t2 h : check_dear N lo hi low high t2 -> (0 < N)%N ->
    0 < h -> value lo <= h -> (forall a, hi = Some a -> h <= value a) ->
  value low <= value t2 / (N%:R * h) /\
  (forall a, high = Some a -> value t2 / (N%:R * h) <= value a).
Proof.
move=> /and4P[/nleP low0 /nleP t0 lows highs] N_gt0 h_gt0 lo_h h_hi.
rewrite value_whole zr0 in low0 t0.
have n_gt0 : 0 < (N%:R : R) by rewrite ltr0n.
have nE : value (whole (Z.of_nat N)) = N%:R :> R.
  rewrite value_whole /zr (_ : int_of_Z (Z.of_nat N) = N) -?pmulrn //.
  by elim: (N) => // e IH; rewrite Nat2Z.inj_succ -Z.add_1_l int_of_ZD IH.
have Nh : 0 < N%:R * h by rewrite mulr_gt0.
split.
  rewrite ler_pdivlMr //; case: hi lows h_hi => [hi|] /nleP; last first.
    rewrite value_whole zr0 => low_le0 _; apply: le_trans t0.
    by rewrite pmulr_lle0.
  rewrite !value_nmul nE => le_t h_hi; apply: le_trans le_t.
  rewrite mulrA; apply: ler_wpM2l; first by rewrite mulr_ge0 // ltW.
  exact: h_hi.
move=> a highE; move: highs; rewrite highE => /andP[/nleP high0 /nleP]; rewrite !value_nmul nE => le_t.
rewrite value_whole zr0 in high0; rewrite ler_pdivrMr //; apply: le_trans le_t _.
by rewrite [leRHS]mulrA; apply: ler_wpM2l => //; rewrite mulr_ge0 // ltW.
Qed.

Section Layer.

Variables (d m : nat) (ls : seq (llayer number)) (out : llayer number).
Let p := chain m d (map vlayer ls) (vlayer out).
Variables (N n k : nat) (get : Z -> seq number).
Let z (i : 'I_N) : 'rV[R]_d := zrow R d get (Z.of_nat i).

Definition features_at (x : 'rV[R]_d) : 'rV[R]_n.+1 := rvec n.+1 (1 :: hidden p k x).

Definition features_of : 'M[R]_(N, n.+1) := \matrix_i features_at (z i).

Variables (s : scale) (es : seq scale) (l : number) (zs : seq (llayer Z)) (one : Z) (M : seq (seq Z)).
Hypothesis normalE : normal s es d m ls out N get k n.+1 l = Some (zs, one, M).

Let t := scale_at s (take k.+1 es).

(* Features in integers, what they and a penalty make of M, and the scale.    *)
Lemma normalP : exists (phi : 'M[R]_(N, n.+1)) (zl : R),
  [/\ square n.+1 M /\ 0 <= zl, gram phi (penalties zl (p := n)) = zmatrix n.+1 n.+1 M,
      size_of R t != 0, features_of = size_of R t *: phi
    & value l = size_of R t ^+ 2 * zl] /\
  forall N' get' i f, feature_row d s (Z.of_nat N') get' zs k one n.+1 i = Some f ->
    size f = n.+1 /\ features_at (zrow R d get' i) = size_of R t *: zvector n.+1 f.
Proof.
move: normalE; rewrite /normal; case: ifP => // /and4P[s_gt0 fit _ k_ls].
case zsE: over_layers => [zs'|//]; case oneE: over => [one'|//]; case lE: over => [zl|//].
case: ifP => // zl0; case ME: gram_rows => [M'|//] [zsE' <- ME'].
rewrite {zs'}zsE' in zsE ME *; rewrite {M'}ME' in ME; rewrite -/t in oneE lE.
have t_gt0 : proper t := proper_at R s_gt0 zsE k_ls.
have tt_gt0 := proper_times t_gt0 t_gt0.
have row N' get' i f : feature_row d s (Z.of_nat N') get' zs k one' n.+1 i = Some f ->
    size f = n.+1 /\ features_at (zrow R d get' i) = size_of R t *: zvector n.+1 f.
  rewrite /feature_row; case xE: row_at => [x|//]; case: eqP => // f_n [fE].
  rewrite -fE; split=> //; have [e iE [x_d]] := row_atP R s_gt0 xE; rewrite -iE => zE.
  rewrite /features_at zE (hiddenE R m s_gt0 fit zsE) //; apply/rowP=> j; rewrite !mxE.
  case: j => -[|j] j_n /=; last by rewrite nth_multiple.
  by rewrite -(overP R t_gt0 oneE) value_whole.
have f_n i f : feature_row d s (Z.of_nat N) get zs k one' n.+1 i = Some f -> size f = n.+1.
  by case/row.
have [dl_n dlE] := diagonalP n.+1 zl.
have [M_n [vs [vsE MM]]] := gram_rowsP (i := 0) ME dl_n f_n.
pose phi : 'M[R]_(N, n.+1) := \matrix_i zvector n.+1 (vs i).
exists phi, (zr zl); split=> //; split.
- by split=> //; rewrite -(zr0 R) zr_le.
- rewrite MM dlE /gram addrC; congr (_ + _).
    congr diag_mx; apply/rowP=> a; rewrite !mxE /penalties.
    by case: (unliftP ord0 a) => [b|] ->.
  apply/matrixP=> a b; rewrite !mxE summxE; apply: eq_bigr => i _.
  by rewrite !mxE big_ord1 !mxE.
- by rewrite gt_eqF ?size_gt0.
- apply/row_matrixP=> i; have [_] := row _ _ _ _ (vsE i (ltn_ord i)); rewrite add0n => fE.
  apply/rowP=> j; have := congr1 (fun v : 'rV[R]_n.+1 => v 0 j) fE.
  by rewrite !mxE.
by rewrite (overP R tt_gt0 lE) size_times expr2.
Qed.

Lemma lever_same q c (A : 'M[R]_(q, c)) (l1 l2 : 'I_c -> R) f h : l1 =1 l2 ->
  lever A l1 f h -> lever A l2 f h.
Proof.
move=> same [u uM hE]; exists u => //; rewrite -uM /gram; congr (_ *m (_ + diag_mx _)).
by apply/rowP=> j; rewrite !mxE same.
Qed.

Variables (N' : nat) (get' : Z -> seq number) (i : Z) (f : seq Z).
Hypothesis fE : feature_row d s (Z.of_nat N') get' zs k one n.+1 i = Some f.
Let x := zrow R d get' i.

Theorem C21_check_lever_at w den h : check_lever_at n.+1 M w den f h ->
  lever features_of (penalties (value l) (p := n)) (features_at x) (value h).
Proof.
have [phi [zl [[[/andP[/eqP M_n /(all_nthP [::]) rows] zl0] gE t0 -> ->] row]]] := normalP.
have [f_n ->] := row _ _ _ _ fE.
case/and4P=> den_gt0 /eqP w_n /zsameP same /andP[/nleP le1 /nleP le2].
have den0 : zr den != 0 by rewrite gt_eqF ?zr_gt0.
have vE : value (Number (zdot Z0 w f) Z0 den) = (zr den)^-1 * zr (zdot Z0 w f).
  by rewrite /value /= /two expr0z mulr1 mulrC.
have hE : value h = (zr den)^-1 * zr (zdot Z0 w f) by apply: le_anti; rewrite -vE le1 le2.
apply: (@lever_same _ _ _ (fun j => size_of R t ^+ 2 * penalties zl (p := n) j)) => [j|].
  by rewrite /penalties; case: unlift => [?|]; rewrite ?mulr0.
apply: lever_scaled => //; exists ((zr den)^-1 *: zvector n.+1 w); last first.
  by rewrite dotZl hE (zdot_sum w_n f_n); congr (_ * _); apply: eq_bigr => a _; rewrite !mxE.
have sym := gram_sym phi (penalties zl (p := n)).
rewrite -sym gE -scalemxAl; apply/rowP=> a.
have a_n := ltn_ord a; have r_n : size (nth [::] M a) = n.+1 by apply/eqP/rows; rewrite M_n.
have := congr1 (fun v => zr (nth Z0 v a)) same; rewrite (nth_map [::]) ?M_n // (nth_map Z0) ?f_n //.
rewrite zrM => E; transitivity ((zr den)^-1 * zr (zdot Z0 (nth [::] M a) w)).
  rewrite mxE (zdot_sum r_n w_n) mxE; congr (_ * _).
  by apply: eq_bigr => b _; rewrite !mxE mulrC.
by rewrite E mulrA mulVf // mul1r mxE.
Qed.

Theorem C21_check_near T omega delta q : size T = q -> check_near n.+1 M T omega delta ->
  let TZ : 'M[R]_(n.+1, q) := (zmatrix q n.+1 T)^T in
  near (TZ^T *m zmatrix n.+1 n.+1 M *m TZ) (zr omega) (zr delta).
Proof.
move=> T_q; rewrite /check_near T_q.
have [phi [zl [[[/andP[/eqP M_n /(all_nthP [::]) rows] zl0] gE _ _ _] _]]] := normalP.
case/andP=> /(all_nthP [::]) T_n /(all_nthP (0%N, [::])) ok; split.
  by rewrite -gE !trmx_mul trmxK gram_sym mulmxA.
move=> a; have a_q := ltn_ord a.
have pr_q : size (products M T) = q by rewrite size_map.
have z_q : size (zip (iota 0 q) (products M T)) = q by rewrite size_zip size_iota pr_q minnn.
have := ok a; rewrite z_q nth_zip ?size_iota ?pr_q // nth_iota //= add0n => /(_ a_q) le.
rewrite -(zr_le R) in le; apply: le_trans le; rewrite zsizes_sum size_mkseq.
apply: ler_sum => b _; rewrite nth_mkseq // /Z.sub zrD zrN le_eqVlt; apply/orP; left; apply/eqP.
congr `|_ - _|; last first.
  by rewrite -[val a == val b]/(a == b); case: eqP => _; rewrite ?mul1r ?mul0r ?zr0.
have b_q := ltn_ord b; have T_a c' : (c' < q)%N -> size (nth [::] T c') = n.+1.
  by move=> c_q; apply/eqP/T_n; rewrite T_q.
rewrite /products (nth_map [::]) ?T_q // (nth_map [::]) ?size_map ?T_q // (nth_map [::]) ?T_q //.
rewrite (zdot_sum (n := n.+1)) ?size_map ?T_a //.
rewrite -mulmxA mxE; apply: eq_bigr => j _; rewrite !mxE; congr (_ * _).
rewrite (nth_map [::]) ?M_n // (zdot_sum (n := n.+1)) ?T_a //; last by apply/eqP/rows; rewrite M_n.
by apply: eq_bigr => e _; rewrite !mxE.
Qed.

Lemma square_ofP T q : size T = q -> all (fun v => size v == n.+1) T -> size f = n.+1 ->
  normsq (zvector n.+1 f *m (zmatrix q n.+1 T)^T) = zr (square_of T f) :> R.
Proof.
move=> T_q /(all_nthP [::]) T_n f_n; rewrite /square_of (zdot_sum (n := q)) ?size_map //.
rewrite /normsq; apply: eq_bigr => a _; rewrite (nth_map [::]) ?T_q // -expr2; congr (_ ^+ 2).
rewrite (zdot_sum (n := n.+1)) //; last by apply/eqP/T_n; rewrite T_q.
by rewrite mxE; apply: eq_bigr => b _; rewrite !mxE mulrC.
Qed.

Theorem C21_check_bounds T omega delta lo hi : check_near n.+1 M T omega delta ->
    check_bounds n.+1 T omega delta f lo hi ->
  let lever_h := lever features_of (penalties (value l) (p := n)) (features_at x) in
  (forall h, lever_h h -> value lo <= h) /\
  (forall a, hi = Some a -> exists2 h, lever_h h & h <= value a).
Proof.
move=> nearE; have /andP[T_n _] := nearE.
have [phi [zl [[[M_n zl0] gE t0 phiE lE] row]]] := normalP.
have [f_n fE'] := row _ _ _ _ fE.
have pen0 j : 0 <= penalties zl (p := n) j by rewrite /penalties; case: unlift.
have pens (y c : R) j : c * penalties y (p := n) j = penalties (c * y) (p := n) j.
  by rewrite /penalties; case: unlift => [?|] //; rewrite mulr0.
case/and3P=> od_gt0 /nleP le_lo his; rewrite value_nmul !value_whole zrD in le_lo.
rewrite -(zr_gt0 R) zrD in od_gt0.
move=> lever_h; rewrite /lever_h {lever_h} phiE lE /x fE'; split=> [h lev|a hiE].
  have nearM := C21_check_near erefl nearE; rewrite /= -gE in nearM.
  have lev' : lever phi (penalties zl (p := n)) (zvector n.+1 f) h.
    have := lever_scaled (invr_neq0 t0) lev; rewrite !scalerA mulVf // !scale1r.
    apply: lever_same => j; rewrite pens; congr (penalties _ _).
    by rewrite mulrA -exprMn mulVf // expr1n mul1r.
  have := lever_low pen0 nearM (ltW od_gt0) lev'; rewrite (square_ofP erefl T_n f_n) => le.
  by have := le_trans le_lo le; rewrite ler_pM2r.
move: his; rewrite hiE => /and3P[/eqP T_c above /nleP].
rewrite value_nmul !value_whole => le_hi.
have nearM := C21_check_near T_c nearE; rewrite /= -gE in nearM.
have above' : zr delta < zr omega.
  by rewrite -subr_gt0 -zrN -zrD zr_gt0; apply/Z.ltb_spec0; move/Z.ltb_spec0: above; lia.
have [h lev le] := lever_high pen0 nearM above' (zvector n.+1 f).
exists h.
  apply: (@lever_same _ _ _ (fun j => size_of R t ^+ 2 * penalties zl (p := n) j)) => [j|].
    by rewrite pens.
  exact: lever_scaled.
rewrite (square_ofP T_c T_n f_n) in le; have := le_trans le le_hi.
by rewrite /Z.sub zrD zrN ler_pM2r // subr_gt0.
Qed.

End Layer.

End Correct.
