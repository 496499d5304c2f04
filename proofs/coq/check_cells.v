(******************************************************************************)
(* Checkers of covered inputs: an average of training inputs between which no *)
(* unit of a deep net changes sign, in the words of c23_confinement.v; and of *)
(* the difference of two nets at an input.                                    *)
(*                                                                            *)
(* sided d zs xs == the layers fit, and no unit of them changes sign between  *)
(*                   the rows xs                                              *)
(* check_covered == so it is, of rows that an input is the average of         *)
(* output_over == the output of a net at a row, over the scale there          *)
(* check_difference == the outputs of two nets differ by that at an input     *)
(* stack d ls == the hidden layers ls as a stack of c16_depth.v               *)
(* C23_covered_agree == a net that changes no sign between the rows either    *)
(*                   and agrees there agrees at a covered input               *)
(******************************************************************************)
From Coq Require Import QArith Lia.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_deep c2_deep check_chains check_integers
  check_audits check_hulls c16_depth c23_confinement.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Local Notation llayer := check_deep.layer.

(* The least and the greatest entry of each column.                           *)
Definition columnwise (f : Z -> Z -> Z) (u : seq Z) (us : seq (seq Z)) :=
  foldr (fun v sofar => [seq f p.1 p.2 | p <- zip v sofar]) u us.

Definition one_side (us : seq (seq Z)) : bool :=
  if us is u :: us' then
    all (fun p => Z.leb Z0 p.1 || Z.leb p.2 Z0)
      (zip (columnwise Z.min u us') (columnwise Z.max u us'))
  else true.

Fixpoint sided (d : nat) (zs : seq (llayer Z)) (xs : seq (seq Z)) : bool :=
  if zs is l :: zs' then
    let us := map (zaffine l) xs in
    if fan_in d l && one_side us then sided (size l) zs' (map (map zrelu) us) else false
  else true.

Definition check_covered d s (zs : seq (llayer Z)) N get D chosen ws x :=
  if average d s N get D chosen ws x is Some xs then sided d zs xs else false.

Definition output_over (d m : nat) (s : scale) (es : seq scale) (ls : seq (llayer number))
    (out : llayer number) (u : seq Z) :=
  if linked d ls out && (size out == m) then
    if over_layers s es (rcons ls out) is Some zs then
      Some (zaffine (nth [::] zs (size ls)) (zforward (take (size ls) zs) u))
    else None
  else None.

Definition same_scale (s t : scale) := Z.eqb (power s) (power t) && Z.eqb (under s) (under t).

Definition check_difference d m s es es' ls out ls' out' (x diff : seq number) :=
  let t := scale_at s es in
  if proper s && same_scale t (scale_at s es') then
    if row_over d s x is Some u then
      if output_over d m s es ls out u is Some v then
        if output_over d m s es' ls' out' u is Some w then
          if row_over m t diff is Some c then zsame v (zadd w c) else false
        else false
      else false
    else false
  else false.

Lemma columnwiseP (f : Z -> Z -> Z) (R : rel Z) n u us :
    (forall a, R a a) -> (forall a b c, R a b || R a c -> R a (f b c)) ->
    all (fun v => size v == n) (u :: us) ->
  size (columnwise f u us) = n /\
  forall v j, v \in u :: us -> (j < n)%N -> R (nth Z0 v j) (nth Z0 (columnwise f u us) j).
Proof.
move=> refl step /= /andP[/eqP u_n]; elim: us => [|w us IH] /=.
  by move=> _; split=> // v j; rewrite inE => /eqP->.
case/andP=> /eqP w_n /IH[c_n cP]; have z_n : size (zip w (columnwise f u us)) = n.
  by rewrite size_zip w_n c_n minnn.
split=> [|v j v_in j_n]; first by rewrite size_map.
rewrite (nth_map (Z0, Z0)) ?z_n // nth_zip ?w_n ?c_n //=; apply: step.
move: v_in; rewrite !inE orbCA => /orP[/eqP->|v_in]; first by rewrite refl.
by rewrite (cP v) ?orbT // inE.
Qed.

Lemma one_sideP n us j : one_side us -> all (fun v => size v == n) us -> (j < n)%N ->
  (forall u, u \in us -> Z.leb Z0 (nth Z0 u j)) \/ (forall u, u \in us -> Z.leb (nth Z0 u j) Z0).
Proof.
case: us => [|u us] side us_n j_n; first by left.
have [lo_n loP] : size (columnwise Z.min u us) = n /\ forall v i, v \in u :: us ->
    (i < n)%N -> Z.geb (nth Z0 v i) (nth Z0 (columnwise Z.min u us) i).
  apply: (columnwiseP (R := fun a b => Z.geb a b)) => // [a|a b c].
    by rewrite Z.geb_leb Z.leb_refl.
  by rewrite !Z.geb_leb => /orP[] /Z.leb_spec0 H; apply/Z.leb_spec0; lia.
have [hi_n hiP] : size (columnwise Z.max u us) = n /\ forall v i, v \in u :: us ->
    (i < n)%N -> Z.leb (nth Z0 v i) (nth Z0 (columnwise Z.max u us) i).
  apply: (columnwiseP (R := fun a b => Z.leb a b)) => // [a|a b c].
    exact: Z.leb_refl.
  by case/orP=> /Z.leb_spec0 H; apply/Z.leb_spec0; lia.
move: side; rewrite /one_side => /(all_nthP (Z0, Z0))/(_ j).
rewrite size_zip lo_n hi_n minnn nth_zip ?lo_n ?hi_n //= => /(_ j_n) /orP[] /Z.leb_spec0 H.
  by left=> v /loP/(_ j_n); rewrite Z.geb_leb => /Z.leb_spec0 ?; apply/Z.leb_spec0; lia.
by right=> v /hiP/(_ j_n) /Z.leb_spec0 ?; apply/Z.leb_spec0; lia.
Qed.

Local Open Scope ring_scope.

Section Correct.

Variable R : realFieldType.
Local Notation value := (value R).
Local Notation vlayer := (value_layer R).
Local Notation Rops := (Rops R).
Local Notation zr := (zr R).

Fixpoint stack k (ls : seq (llayer R)) : deep R (last k (map size ls)) k :=
  match ls return deep R (last k (map size ls)) k with
  | [::] => Last R k
  | l :: ls' => Layer (wmx k (size l) l) (bmx (size l) l) (stack (size l) ls')
  end.

(* A net of c2_deep.v is its stack, and an affine output.                     *)
Lemma out_stack m k ls o (h : 'rV[R]_k) :
  c2_deep.out (chain m k ls o) h = run (stack k ls) h *m wmx _ m o + bmx m o.
Proof. by elim: ls k h => [//|l ls IH] k h /=; rewrite -IH. Qed.

Lemma deep_cell_ext (I : finType) p k (net : deep R p k) (h h' : I -> 'rV[R]_k) :
  h =1 h' -> deep_cell net h -> deep_cell net h'.
Proof.
elim: net h h' => [//|{}k l W b rest IH] h h' hE /= [side in_cell].
split=> [i|]; last by apply: IH in_cell => e; rewrite hE.
by have [ge0|le0] := side i; [left|right] => e; rewrite -hE.
Qed.

Lemma nth_relu (v : seq R) j : nth 0 (map (@relu R) v) j = relu (nth 0 v j).
Proof.
have [lt|ge] := ltnP j (size v); first exact: nth_map.
by rewrite !nth_default ?size_map // relu_0.
Qed.

(* Rows of a stack: what is computed on them, and which sides units are on.   *)
Lemma sidedP d s es ls zs n xs : proper s -> over_layers s es ls = Some zs ->
    all (fun x => size x == d) xs -> size xs = n -> sided d zs xs ->
  deep_cell (stack d (map vlayer ls))
            (fun e : 'I_n => rvec d (multiple R s (nth [::] xs e))).
Proof.
elim: ls d s es zs xs => [|l ls IH] k s [|e es] zs xs //= s_gt0.
case: ifP => // e_gt0; case E: over_layer => [l'|//]; case F: over_layers => [zs'|//] [<-] /=.
move=> xs_k xs_n; case: ifP => // /andP[fit side] rest.
have t_gt0 := proper_times e_gt0 s_gt0.
have lE : vlayer l = scaled R e (times e s) l' := over_layerP R e_gt0 t_gt0 E.
have l_n : size (vlayer l) = size l' by rewrite lE size_map.
have fit' : fan_in k (vlayer l).
  by rewrite lE /fan_in all_map; apply: sub_all fit => wb /=; rewrite size_map.
have x_k (i : 'I_n) : size (nth [::] xs i) = k.
  by apply/eqP; apply: (all_nthP [::] xs_k); rewrite xs_n.
have pre (i : 'I_n) : rvec k (multiple R s (nth [::] xs i)) *m wmx k (size (vlayer l)) (vlayer l)
    + bmx (size (vlayer l)) (vlayer l)
    = rvec (size (vlayer l)) (multiple R (times e s) (zaffine l' (nth [::] xs i))).
  apply/rowP=> j; have j_l := ltn_ord j; rewrite mxE.
  rewrite (mul_rvec (i := j) fit') ?size_map ?x_k // [X in _ + X]mxE [RHS]mxE.
  by rewrite -(affineP R) // -lE (nth_map (runit0 R)).
split=> [j|].
  have j_l : (j < size l')%N by rewrite -l_n.
  have us_l : all (fun v => size v == size l') (map (zaffine l') xs).
    by rewrite all_map; apply/allP=> x _ /=; rewrite size_map.
  have at_i (i : 'I_n) : zaffine l' (nth [::] xs i) \in map (zaffine l') xs.
    by apply: map_f; rewrite mem_nth // xs_n.
  have val (i : 'I_n) : (rvec k (multiple R s (nth [::] xs i)) *m wmx k (size (vlayer l)) (vlayer l)
      + bmx (size (vlayer l)) (vlayer l)) 0 j
      = size_of R (times e s) * zr (nth Z0 (zaffine l' (nth [::] xs i)) j).
    by rewrite pre mxE (nth_map Z0) // [X in (_ < X)%N]size_map.
  have [ge0|le0] := one_sideP side us_l j_l; [left=> i|right=> i]; rewrite val.
    by rewrite mulr_ge0 ?(ltW (size_gt0 R t_gt0)) // -(zr0 R) zr_le ge0.
  by rewrite mulr_ge0_le0 ?(ltW (size_gt0 R t_gt0)) // -(zr0 R) zr_le le0.
have next (i : 'I_n) : map_mx (@relu R) (rvec k (multiple R s (nth [::] xs i))
      *m wmx k (size (vlayer l)) (vlayer l) + bmx (size (vlayer l)) (vlayer l))
    = rvec (size (vlayer l)) (multiple R (times e s)
        (nth [::] (map (map zrelu) (map (zaffine l') xs)) i)).
  rewrite pre -map_comp (nth_map [::]) ?xs_n //= -(reluP R) //.
  by apply/rowP=> j; rewrite !mxE nth_relu.
apply: deep_cell_ext (fun i => esym (next i)) (IH _ _ _ _ _ t_gt0 F _ _ _).
- rewrite !all_map; apply/allP=> x _ /=.
  by rewrite size_map [X in X == _]size_map l_n.
- by rewrite !size_map.
- by rewrite l_n.
Qed.

Variables (d N : nat) (get : Z -> seq number).
Let z (i : 'I_N) : 'rV[R]_d := zrow R d get (Z.of_nat i).

Theorem C23_check_covered s es ls zs D chosen ws x : over_layers s es ls = Some zs ->
    check_covered d s zs N get D chosen ws x ->
  exists k (at_ : 'I_k -> 'I_N) (l : 'I_k -> R),
    [/\ weights l, rvec d (map value x) = mix l (z \o at_)
      & deep_cell (stack d (map vlayer ls)) (z \o at_)].
Proof.
move=> zsE; rewrite /check_covered; case E: average => [xs|//] side.
have [s_gt0 xs_n xs_d [at_ [l [wl xE atE]]]] := averageP R E.
exists _, at_, l; split=> //; apply: deep_cell_ext (fun e => esym (atE e)) _.
exact: (sidedP s_gt0 zsE xs_d xs_n side).
Qed.

Lemma output_overP m s es ls out u v : proper s -> size u = d ->
    output_over d m s es ls out u = Some v ->
  [/\ size v = m, proper (scale_at s es)
    & c2_deep.out (chain m d (map vlayer ls) (vlayer out)) (rvec d (multiple R s u))
      = rvec m (multiple R (scale_at s es) v)].
Proof.
move=> s_gt0 u_d; rewrite /output_over; case: ifP => // /andP[fit /eqP out_m].
case E: over_layers => [zs|//] [<-]; have [zs_n es_n same] := over_layersP R s_gt0 E.
rewrite size_rcons in zs_n es_n same.
have [forE t_gt0] := same u (size ls) (leqnSn _).
have [|e_gt0 _ outE] := scaled_nth R s_gt0 E (_ : size ls < _)%N; first by rewrite size_rcons.
rewrite map_rcons nth_rcons size_map ltnn eqxx in outE.
have esE : scale_at s es = times (nth (Scale Z0 Z0) es (size ls)) (scale_at s (take (size ls) es)).
  by rewrite -[in LHS](take_size es) es_n (take_nth (Scale Z0 Z0)) ?es_n // /scale_at foldl_rcons.
have T_gt0 := proper_times e_gt0 t_gt0; have out_m' : size (vlayer out) = m by rewrite size_map.
split; last 1 first.
- rewrite out_chain ?linked_value ?size_map // esE; congr (rvec m _).
  rewrite /lchain -affineP // -outE -forE; congr (laffine _ _ (lforward _ _ _)).
  by rewrite map_rcons -cats1 takel_cat ?size_map // take_oversize ?size_map.
- by rewrite size_map -out_m; have := congr1 size outE; rewrite !size_map.
- by rewrite esE.
Qed.

Theorem C23_check_difference m s es es' ls out ls' out' x diff :
    check_difference d m s es es' ls out ls' out' x diff ->
  let f := chain m d (map vlayer ls) (vlayer out) in
  let g := chain m d (map vlayer ls') (vlayer out') in
  let v := rvec d (map value x) in
  c2_deep.out f v - c2_deep.out g v = rvec m (map value diff).
Proof.
rewrite /check_difference; case: ifP => // /andP[s_gt0 /andP[/Z.eqb_spec p_eq /Z.eqb_spec q_eq]].
have tE : scale_at s es = scale_at s es'.
  by move: p_eq q_eq; do 2 case: scale_at => ? ? /=; move=> -> ->.
case xE: row_over => [u|//]; case E: output_over => [v|//]; case E': output_over => [w|//].
case cE: row_over => [c|//] /zsameP vE; have [u_d ->] := row_overP R s_gt0 xE.
have [v_m t_gt0 ->] := output_overP s_gt0 u_d E; have [w_m _ ->] := output_overP s_gt0 u_d E'.
have [c_m ->] : size c = m /\ rvec m (map value diff) = rvec m (multiple R (scale_at s es) c).
  move: cE; rewrite /row_over; case F: overs => [k|//]; case: eqP => // k_m [<-].
  by rewrite (oversP R t_gt0 F).
rewrite -tE vE; apply/rowP=> j; rewrite !mxE; have j_m := ltn_ord j.
have z_m : size (zip w c) = m by rewrite size_zip w_m c_m minnn.
rewrite !(nth_map Z0) ?size_map ?z_m ?w_m ?c_m // (nth_map (Z0, Z0)) ?z_m //.
by rewrite nth_zip ?w_m ?c_m //= zrD mulrDr addrAC subrr add0r.
Qed.

(* What a covered input has: a net that changes no sign between the same rows *)
(* either and agrees there agrees at the input.                               *)
Theorem C23_covered_agree m out ls k (at_ : 'I_k -> 'I_N) (l : 'I_k -> R) x p (g : deep R p d)
    (B : 'M[R]_(p, m)) (b : 'rV[R]_m) :
  weights l -> x = mix l (z \o at_) ->
  deep_cell (stack d ls) (z \o at_) -> deep_cell g (z \o at_) ->
  (forall e, run g (z (at_ e)) *m B + b = c2_deep.out (chain m d ls out) (z (at_ e))) ->
  run g x *m B + b = c2_deep.out (chain m d ls out) x.
Proof.
move=> wl -> cf cg agree; apply/eqP; rewrite -subr_eq0 out_stack C23_deep //.
rewrite /mix big1 // => e _; rewrite /= agree out_stack subrr scaler0 //.
Qed.

End Correct.
