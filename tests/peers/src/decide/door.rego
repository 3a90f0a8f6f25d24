# Whether a door opens for a card, as far as it is the same for every campus; the rules of a campus are added to it.
package door

default allow := false

default denied := false

default permitted := false

card := data.cards[input.card]

person := data.people[card.person]

door := data.doors[input.door]

function := data.functions[door.function]

allow if holds(door.unlock)

allow if {
    in_order
    not denied
    permitted
}

in_order if {
    card.state == "active"
    card.first_day <= input.day
    input.day <= card.last_day
    data.card_types[card.card_type][door.function]
    works
}

works if {
    function.identity
    input.day < card.left_on
}

works if {
    not function.identity
    input.day <= card.grace_until
}

holds(name) if {
    some span in data.schedules[name]
    span.start <= input.minute
    input.minute < span.end
    span.days[input[span.clock]]
}

member(unit) if {
    some affiliation in person.affiliations
    affiliation.from <= input.day
    input.day <= affiliation.until
    data.units[affiliation.unit][unit]
}

permitted if {
    some grant in data.door_grants.person[card.person][input.door]
    in_force(grant)
}

permitted if {
    some grant in data.door_grants.category[person.category][input.door]
    in_force(grant)
}

permitted if {
    some grant in data.door_grants.unit[input.door]
    member(grant.unit)
    in_force(grant)
}

permitted if {
    some grant in data.building_grants.person[card.person][door.building]
    in_force(grant)
}

permitted if {
    some grant in data.building_grants.category[person.category][door.building]
    in_force(grant)
}

permitted if {
    some grant in data.building_grants.unit[door.building]
    member(grant.unit)
    in_force(grant)
}

in_force(grant) if {
    grant.from <= input.day
    input.day <= grant.until
    holds(grant.schedule)
}
