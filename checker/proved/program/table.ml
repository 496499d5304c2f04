(* All kinds of fact that are decided here, and how the numbers that facts state compare. *)

open Absence_checkers
open Facts

let kinds = Facts.kinds @ Features.kinds @ Classes.kinds @ Cells.kinds @ Refutations.kinds @ Regions.kinds

(* How stated numbers compare: only those that a checker above has compared with what it computed. *)
let stated = [
  "loss-above-floor", [ "loss"; "noise_floor" ]; "lower-loss", [ "drop" ]; "rent", [ "rent"; "gain" ];
  "almost-idle", [ "apart" ]; "uniform-gap", [ "drop"; "gap" ]; "leverage", [ "leverage" ];
  "readout-price", [ "bound"; "leverage"; "square" ];
]

(* What facts state may be a count too. *)
let stated_number = function
  | Json.Int words -> { qnum = integer words; qden = one.qden }
  | value -> number value

let term facts value = match list value with
  | [ factor ] -> (number factor, one)
  | [ factor; place; Json.Text "prices"; which; Json.Text "price" ] ->
    let fact = match List.nth_opt facts (whole place) with Some fact -> fact | None -> malformed "no such fact" in
    if text (get "kind" fact) <> "defection-price" then raise (Left "another number");
    (match List.nth_opt (list (get "prices" fact)) (whole which) with
     | Some entry -> (number factor, stated_number (get "price" entry))
     | None -> malformed "no such price")
  | [ factor; place; Json.Text key ] ->
    let fact = match List.nth_opt facts (whole place) with Some fact -> fact | None -> malformed "no such fact" in
    let keys = try List.assoc (text (get "kind" fact)) stated with Not_found -> raise (Left "another number") in
    if not (List.mem key keys) then malformed "no such number";
    (number factor, stated_number (get key fact))
  | _ -> raise (Left "another number")

let side facts value =
  if list value = [] then malformed "a side is missing";
  List.map (term facts) (list value)

let compared facts relation = match list relation with
  | [ left; sign; right ] ->
    let check = match text sign with
      | "<" -> check_less | "<=" -> check_at_most | "=" -> check_equal | _ -> malformed "no such relation" in
    check (side facts left) (side facts right)
  | _ -> malformed "no relation"
