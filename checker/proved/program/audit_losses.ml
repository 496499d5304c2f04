(* Facts of an audit about losses, and about what hardening changed, put to the checkers that Coq extracted. What is here
   reads, and chooses hints: it decides nothing. *)

module I = Z

open Absence_checkers
open Facts
open Audits

(* p/q in lowest terms. *)
let rational value =
  let { qnum; qden } = Facts.number value in
  let g = I.gcd qnum qden in
  apart_from_two (I.divexact qnum g) (I.divexact qden g)

let rationals value = List.map rational (list value)

let bounds value = match rationals value with
  | [ low; high ] -> (low, high)
  | _ -> malformed "not two bounds"

let single fact = match text (get "dtype" fact) with
  | "float32" -> true
  | "float64" -> false
  | _ -> malformed "no type of float"

(* The least exponent of numbers that are not 0, or none. *)
let least numbers =
  let low = least_exponent max_int numbers in
  if low = max_int then None else Some low

(* Scales of a net's rows and layers, as in Audits.subject, and the power of that of its outputs. *)
let scales subject layers =
  let from (sum, s, es) layer =
    let e = Option.value (least (List.concat_map fst layer)) ~default:0 in
    let s = match least (List.map snd layer) with Some b -> min s (b - sum - e) | None -> s in
    (sum + e, s, power e :: es) in
  let sum, s, es = List.fold_left from (0, I.to_int subject.s.power, []) layers in
  (power s, List.rev es, s + sum)

(* The digits that outputs of the power t need for numbers whose least exponent is given. *)
let digits t low = I.of_int (max 0 (t - low))

(* The rows, or no answer if those that are left would take too long. *)
let in_time subject rows get =
  let asked = ref 0 and start = Sys.time () in
  fun i ->
    incr asked;
    if !asked = 9 then subject.beyond ((Sys.time () -. start) *. float_of_int (rows - 8) /. 8.);
    get i

let training_rows subject = in_time subject subject.train.rows (get_row subject subject.train)

let targets subject = match subject.arrays "targets" with
  | [ ("targets.npy", found) ] when not found.vector && found.rows = subject.train.rows -> found
  | _ -> malformed "no targets"

(* The rows by their inputs, equal ones by their numbers; and a multiple of the sizes of all groups of equal inputs. *)
let in_order array =
  let entry i k = Int64.float_of_bits (Arrays.bits_at array.Arrays.bytes (Arrays.at array i k)) in
  let rec from k i j =
    if k = array.columns then 0
    else match compare (entry i k) (entry j k) with 0 -> from (k + 1) i j | other -> other in
  let order = Array.init array.rows Fun.id in
  Array.stable_sort (from 0) order;
  let multiple = ref I.one and size = ref 1 in
  Array.iteri (fun place i ->
      let next = place + 1 in
      if next < array.rows && from 0 i order.(next) = 0 then incr size
      else (multiple := I.lcm !multiple (I.of_int !size); size := 1)) order;
  (order, !multiple)

let training subject targets fact =
  known [ "kind"; "dtype"; "loss"; "noise_floor" ] fact;
  let low, high = bounds (get "loss" fact) and least, most = bounds (get "noise_floor" fact) in
  let all = subject.hidden @ [ subject.out ] and finest = fst (exponents targets) in
  let s, es, t = scales subject all and wanted i = Arrays.row targets (I.to_int i) in
  let rows = nat subject.train.rows in
  List.for_all (float_layer (single fact)) all
  && check_error s es (digits t finest) subject.d subject.m subject.hidden subject.out rows (training_rows subject) wanted
    low high
  && (let order, multiple = in_order subject.train in
      check_noise subject.s (power finest) subject.d subject.m rows multiple (fun j -> I.of_int order.(I.to_int j))
        (get_row subject subject.train) wanted least most)

let improvement subject targets fact =
  known [ "kind"; "dtype"; "circuit"; "weights"; "bias"; "outgoing"; "output_bias"; "drop" ] fact;
  let low, high = bounds (get "drop" fact) in
  let below, hidden = last subject.hidden in
  let chosen = List.map whole (list (get "circuit" fact)) in
  if not (no_twice chosen) then malformed "a unit stands twice";
  let members = pick (List.length hidden) chosen in
  let w = rationals (get "weights" fact) and b = rational (get "bias" fact) in
  let a = rationals (get "outgoing" fact) and c = rationals (get "output_bias" fact) in
  let s, es, t = scales subject (subject.hidden @ [ subject.out ]) in
  let s', es', t' = scales subject (below @ [ reused members w b hidden; rewired members a c subject.out ]) in
  let finest = fst (exponents targets) in
  check_reused s es (digits t finest) s' es' (digits t' finest) (single fact) subject.d subject.m below hidden subject.out
    members w b a c (nat subject.train.rows) (training_rows subject)
    (fun i -> Arrays.row targets (I.to_int i)) low high

(* Lists of the units of each hidden layer, from pairs of layer and number. *)
let by_layer subject value =
  let pair entry = match List.map whole (list entry) with
    | [ k; j ] when 1 <= k && k <= List.length subject.hidden -> (k, j)
    | _ -> malformed "no hidden unit" in
  let pairs = List.map pair (list value) in
  let of_layer k width = pick width (List.filter_map (fun (l, j) -> if l = k + 1 then Some j else None) pairs) in
  List.mapi of_layer (List.map List.length subject.hidden)

(* Whether units of one value in training are read by nothing, but those that are left: as the facts about units say. *)
let unread subject facts said left =
  let says (fact, one) = if text (get "kind" fact) = "units" then Some (fst (layer subject fact), fact, one) else None in
  let about = List.filter_map says (List.combine facts said) in
  let silent k kept =
    match List.find_opt (fun (l, _, one) -> l = k && one = "accepted") about with
    | None -> raise (Left "units of which nothing is known")
    | Some (_, fact, _) ->
      let still does stays = text does <> "varies" && not stays in
      check_unread (List.nth subject.ints (k + 1)) (List.map2 still (list (get "activity" fact)) kept) in
  List.for_all Fun.id (List.mapi silent left)

let hardening subject facts said fact =
  known [ "kind"; "dtype"; "removed"; "left"; "deviation" ] fact;
  let removed = by_layer subject (get "removed" fact) and kept = by_layer subject (get "left" fact) in
  let hidden, out = last (List.map units (layers (subject.arrays "before"))) in
  let s, es, t = scales subject (hidden @ [ out ]) and s', es', t' = scales subject (subject.hidden @ [ subject.out ]) in
  let same = min t t' in
  check_hardened s es (digits t same) s' es' (digits t' same) subject.d subject.m removed hidden out subject.hidden
    subject.out (nat subject.train.rows) (training_rows subject) (hexadecimal (get "deviation" fact))
  && unread subject facts said kept

let answers subject facts said =
  let targets = lazy (targets subject) in
  let one fact = match text (get "kind" fact) with
    | "training-loss" -> answer (fun () -> training subject (Lazy.force targets) fact)
    | "lower-training-loss" -> answer (fun () -> improvement subject (Lazy.force targets) fact)
    | "hardened" -> answer (fun () -> hardening subject facts said fact)
    | _ -> "left" in
  List.map one facts
