(******************************************************************************)
(* The checkers as a program: what Coq extracts to OCaml, with the integers   *)
(* of GMP for those of Coq. A natural number stays a list of marks.           *)
(******************************************************************************)
From Coq Require Import BinInt Extraction ExtrOcamlBasic ExtrOcamlZBigInt.
From absence Require Import compute check_nets check_deep.
From absence Require Import check_circuits check_losses check_points.
From absence Require Import check_signs check_minima check_gaps.
From absence Require Import check_integers check_audits check_units check_packed_rows.
From absence Require Import check_audit_losses check_noise_floor check_hardening.
From absence Require Import check_rank check_readout check_separation check_norms.
From absence Require Import check_hulls check_cells check_products check_tables check_prices.
From absence Require Import check_formulas check_refutation.
From absence Require Import check_forms check_cases check_regions.

(* The bits that two integers share are found by GMP too.                     *)
Extract Constant Z.land => "Big_int_Z.and_big_int".

Extraction "absence_checkers.ml"
  lforward lwidth check_features Qops lcircuit lsse qinv qnat
  check_idle check_fires check_not_idle check_no_idle
  check_same_outputs check_other_output check_off
  lreceived check_idle_deep check_fires_deep check_off_deep
  check_loss check_floor check_above check_lower
  check_inside check_outside
  lmult check_minimum check_price
  lfloor check_rent check_gauge check_gap check_gain check_one_more check_apart
  lfeat check_full_rank check_dependency check_free check_lever
  errors check_ridge check_min_norm check_weightless
  check_weighted check_wakes check_readout_price
  check_unit check_no_unit check_wrong
  qhead lslope check_path
  check_less check_at_most check_equal
  over_layers widen values within still unit_at
  check_rows check_blocks check_varies check_reads check_unread
  check_error check_noise check_reused check_hardened
  check_average check_row_of check_beyond check_covered check_difference
  check_satisfied check_refuted
  normal feature_row products
  check_lever_at check_near check_bounds check_dear
  check_minor check_relations check_few
  integers check_region check_acts.
