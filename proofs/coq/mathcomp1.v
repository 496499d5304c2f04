(******************************************************************************)
(* Names that mathcomp 2 gave to lemmas of mathcomp 1. The files of this      *)
(* folder use the new names. Where those are missing (mathcomp 1.15, Debian   *)
(* 12) this file is compiled first and imported into each of them; on         *)
(* mathcomp 2 it is not used. It defines and proves nothing: every line gives *)
(* a lemma its later name, under what the lemma says.                         *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.

Import Num.Theory Order.Theory.

(* Minima and maxima                                                          *)

(* (Num.max x y <= z) = ((x <= z) && (y <= z)) *)
Notation ge_max := le_maxl (only parsing).
(* (z <= Num.max x y) = ((z <= x) || (z <= y)) *)
Notation le_max := le_maxr (only parsing).
(* (Num.max x y < z) = ((x < z) && (y < z)) *)
Notation gt_max := lt_maxl (only parsing).
(* (z < Num.max x y) = ((z < x) || (z < y)) *)
Notation lt_max := lt_maxr (only parsing).
(* (Num.min x y <= z) = ((x <= z) || (y <= z)) *)
Notation ge_min := le_minl (only parsing).
(* (z <= Num.min x y) = ((z <= x) && (z <= y)) *)
Notation le_min := le_minr (only parsing).
(* (z < Num.min x y) = ((z < x) && (z < y)) *)
Notation lt_min := lt_minr (only parsing).

(* Sums, differences, opposites                                               *)

(* x <= y -> z <= t -> x + z <= y + t *)
Notation lerD := ler_add (only parsing).
(* x < y -> z < t -> x + z < y + t *)
Notation ltrD := ltr_add (only parsing).
(* x <= y -> t <= z -> x - z <= y - t *)
Notation lerB := ler_sub (only parsing).
(* (x + y <= x + z) = (y <= z) *)
Notation lerD2l := ler_add2l (only parsing).
(* (y + x <= z + x) = (y <= z) *)
Notation lerD2r := ler_add2r (only parsing).
(* (y + x < z + x) = (y < z) *)
Notation ltrD2r := ltr_add2r (only parsing).
(* (x <= x + y) = (0 <= y) *)
Notation lerDl := ler_addl (only parsing).
(* (x <= y + x) = (0 <= y) *)
Notation lerDr := ler_addr (only parsing).
(* (x < x + y) = (0 < y) *)
Notation ltrDl := ltr_addl (only parsing).
(* (x < y + x) = (0 < y) *)
Notation ltrDr := ltr_addr (only parsing).
(* (x + y <= x) = (y <= 0) *)
Notation gerDl := ger_addl (only parsing).
(* (y + x <= x) = (y <= 0) *)
Notation gerDr := ger_addr (only parsing).
(* (x + y < x) = (y < 0) *)
Notation gtrDl := gtr_addl (only parsing).
(* (x - y <= z) = (x <= y + z) *)
Notation lerBlDl := ler_subl_addl (only parsing).
(* (x - y <= z) = (x <= z + y) *)
Notation lerBlDr := ler_subl_addr (only parsing).
(* (x <= y - z) = (z + x <= y) *)
Notation lerBrDl := ler_subr_addl (only parsing).
(* (x <= y - z) = (x + z <= y) *)
Notation lerBrDr := ler_subr_addr (only parsing).
(* (x < y - z) = (z + x < y) *)
Notation ltrBrDl := ltr_subr_addl (only parsing).
(* (- x <= - y) = (y <= x) *)
Notation lerN2 := ler_opp2 (only parsing).
(* (x <= - y) = (y <= - x) *)
Notation lerNr := ler_oppr (only parsing).
(* 0 <= x -> y <= z -> y <= x + z *)
Notation ler_wpDl := ler_paddl (only parsing).
(* 0 <= x -> y < z -> y < x + z *)
Notation ltr_wpDl := ltr_paddl (only parsing).
(* 0 <= x -> y < z -> y < z + x *)
Notation ltr_wpDr := ltr_paddr (only parsing).
(* 0 < x -> y <= z -> y < z + x *)
Notation ltr_pwDr := ltr_spaddr (only parsing).
(* `|x + y| <= `|x| + `|y| *)
Notation ler_normD := ler_norm_add (only parsing).
(* `|x - y| <= `|x| + `|y| *)
Notation ler_normB := ler_norm_sub (only parsing).

(* Products, quotients, powers                                                *)

(* 0 <= x -> 0 <= z -> x <= y -> z <= t -> x * z <= y * t *)
Notation ler_pM := ler_pmul (only parsing).
(* 0 < x -> (x * y <= x * z) = (y <= z) *)
Notation ler_pM2l := ler_pmul2l (only parsing).
(* 0 < x -> (y * x <= z * x) = (y <= z) *)
Notation ler_pM2r := ler_pmul2r (only parsing).
(* 0 < x -> (x * y < x * z) = (y < z) *)
Notation ltr_pM2l := ltr_pmul2l (only parsing).
(* 0 < x -> (y * x < z * x) = (y < z) *)
Notation ltr_pM2r := ltr_pmul2r (only parsing).
(* 0 <= x -> y <= z -> x * y <= x * z *)
Notation ler_wpM2l := ler_wpmul2l (only parsing).
(* 0 <= x -> y <= z -> y * x <= z * x *)
Notation ler_wpM2r := ler_wpmul2r (only parsing).
(* x <= 0 -> y <= z -> x * z <= x * y *)
Notation ler_wnM2l := ler_wnmul2l (only parsing).
(* 0 < y -> (y <= y * x) = (1 <= x) *)
Notation ler_pMr := ler_pmulr (only parsing).
(* 0 < y -> (y < x * y) = (1 < x) *)
Notation ltr_pMl := ltr_pmull (only parsing).
(* 0 < y -> (y < y * x) = (1 < x) *)
Notation ltr_pMr := ltr_pmulr (only parsing).
(* 0 <= y -> 1 <= x -> y <= x * y *)
Notation ler_peMl := ler_pemull (only parsing).
(* 0 <= y -> x <= 1 -> x * y <= y *)
Notation ler_piMl := ler_pimull (only parsing).
(* 0 < z -> (x <= y / z) = (x * z <= y) *)
Notation ler_pdivlMr := ler_pdivl_mulr (only parsing).
(* 0 < z -> (x < y / z) = (x * z < y) *)
Notation ltr_pdivlMr := ltr_pdivl_mulr (only parsing).
(* 0 < z -> (y / z <= x) = (y <= x * z) *)
Notation ler_pdivrMr := ler_pdivr_mulr (only parsing).
(* 0 < z -> (y / z < x) = (y < x * z) *)
Notation ltr_pdivrMr := ltr_pdivr_mulr (only parsing).
(* 0 < z -> (z^-1 * y <= x) = (y <= z * x) *)
Notation ler_pdivrMl := ler_pdivr_mull (only parsing).
(* 0 < z -> (z^-1 * y < x) = (y < z * x) *)
Notation ltr_pdivrMl := ltr_pdivr_mull (only parsing).
(* 0 < x -> 0 < y -> (x^-1 <= y^-1) = (y <= x) *)
Notation lef_pV2 := lef_pinv (only parsing).
(* 0 <= x -> 0 <= y -> x <= y -> x ^+ n <= y ^+ n *)
Notation lerXn2r := ler_expn2r (only parsing).
(* 0 <= x -> x < y -> (x ^+ n < y ^+ n) = (n != 0%N) *)
Notation ltrXn2r := ltr_expn2r (only parsing).
