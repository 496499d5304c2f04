(* Facts of an audit about where deployment inputs lie, put to the checkers that Coq extracted. What is here reads, and
   chooses scales: it decides nothing. *)

open Absence_checkers
open Facts
open Audits

let deployment subject fact =
  let table = match subject.deploy with Some found -> found | None -> malformed "no deployment inputs" in
  Arrays.row table (whole (get "row" fact))

(* A number with no power of two beside it. *)
let divided n =
  let e = I.to_int n.exponent in
  if e < 0 then { n with exponent = I.zero; divisor = I.shift_left n.divisor (- e) } else n

(* The weights of an average are above 0 here. *)
let positive value =
  let found = divided (hexadecimal value) in
  if I.sign found.mantissa <= 0 then malformed "no weight";
  found

let averaged fact = Cells.average_of positive (get "combination" fact)

let inside_hull subject fact =
  known [ "kind"; "row"; "combination" ] fact;
  let n, row = numbered subject and chosen, ws = averaged fact in
  check_average subject.d subject.s n row (Cells.multiple ws) chosen ws (deployment subject fact)

let covers subject hidden fact =
  known [ "kind"; "row"; "combination" ] fact;
  let n, row = numbered subject and chosen, ws = averaged fact in
  check_covered subject.d subject.s (Lazy.force hidden) n row (Cells.multiple ws) chosen ws (deployment subject fact)

let same_input subject fact =
  known [ "kind"; "row"; "train_row" ] fact;
  let n, row = numbered subject in
  check_row_of subject.d subject.s n row (I.of_int (whole (get "train_row" fact))) (deployment subject fact)

type plane = { unit : number list * number; divisor : I.t; low : int; beyond : number list }

(* The least exponent of weights, and one that serves the bias too, over the scale of the inputs. *)
let plane subject fact =
  known [ "kind"; "row"; "weights"; "bias" ] fact;
  let w = List.map hexadecimal (list (get "weights" fact)) and b = hexadecimal (get "bias" fact) in
  let low = min (least_exponent 0 w) (least_exponent 0 [ b ] - I.to_int subject.s.power) in
  { unit = (w, b); divisor = Cells.multiple (b :: w); low; beyond = deployment subject fact }

(* Half-spaces as the units of a layer: no training row is beyond them if they are dead. *)
let apart subject planes =
  let low = List.fold_left (fun found p -> min found p.low) 0 planes in
  let e = { power = I.of_int low; under = List.fold_left (fun found p -> I.lcm found p.divisor) I.one planes } in
  let layer = List.map (fun p -> p.unit) planes and es = [ e; power 0 ] in
  let ints = some "no scale" (over_layers subject.s es [ layer; [] ]) in
  of_one_value { subject with m = O; hidden = [ layer ]; out = []; ints; es } subject.train 0
    [ Dead (List.map (fun _ -> true) planes) ]
  && List.for_all (fun p -> check_beyond subject.d subject.s e p.unit p.beyond) planes

(* Those of floats are looked at in one pass; others have divisors of their own. *)
let outside_hull subject planes =
  let floats, others = List.partition (fun p -> I.equal p.divisor I.one) planes in
  let all = together (apart subject) floats in
  fun p -> if List.memq p others then answer (fun () -> apart subject [ p ]) else all [ p ]

let answers subject facts _ =
  let hidden = lazy (
    let count = List.length subject.hidden in
    some "no scale" (over_layers subject.s (prefix count subject.es) subject.hidden)) in
  let kind fact = text (get "kind" fact) in
  let read fact = attempt (fun () -> plane subject fact) in
  let planes = List.map (fun fact -> if kind fact = "outside" then read fact else Error "left") facts in
  let beyond = outside_hull subject (List.filter_map Result.to_option planes) in
  List.map2 (fun fact plane -> match kind fact, plane with
      | "outside", Ok found -> beyond found
      | "outside", Error said -> said
      | "inside", _ -> answer (fun () -> inside_hull subject fact)
      | "covered", _ -> answer (fun () -> covers subject hidden fact)
      | "train-input", _ -> answer (fun () -> same_input subject fact)
      | _ -> "left") facts planes
