//! The attributes of SCIM resources: one table for the schemas that are published, for filters, and for changes.
//!
//! Deliberately few: what Doorward has no use for (telephone numbers, addresses, passwords) it does not keep.

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Yes or no.
    Boolean,
    /// A whole number.
    Integer,
    /// The address of something, of one of these kinds.
    Reference(&'static [&'static str]),
    /// Several values, each under its name.
    Complex(&'static [Attribute]),
}

/// Who may change a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// A client.
    ReadWrite,
    /// Nobody but the authority.
    ReadOnly,
    /// A client, when it makes the value.
    Immutable,
}

/// Which values there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Any.
    Any,
    /// The categories of the campus.
    Categories,
    /// Its units.
    Units,
    /// Any day. Today is suggested, which shows how a day is written.
    DayFromToday,
    /// Any day. One in a year is suggested.
    DayInAYear,
    /// These.
    These(&'static [&'static str]),
}

/// One attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its name, as it is written.
    pub name: &'static str,
    /// What it says.
    pub description: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// Whether it has many values.
    pub is_multiple: bool,
    /// Whether it is always there.
    pub is_required: bool,
    /// Whether the case of its letters counts.
    pub is_exact: bool,
    /// Who may change it.
    pub mutability: Mutability,
    /// Which values there are.
    pub choice: Choice,
    /// Whether no two resources have the same.
    pub is_unique: bool,
    /// Whether it is in every answer, asked for or not.
    pub is_always_returned: bool,
}

impl Attribute {
    pub(super) const fn text(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            description,
            kind: Kind::Text,
            is_multiple: false,
            is_required: false,
            is_exact: false,
            mutability: Mutability::ReadWrite,
            choice: Choice::Any,
            is_unique: false,
            is_always_returned: false,
        }
    }

    pub(super) const fn of(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(super) const fn many(self) -> Self {
        Self { is_multiple: true, ..self }
    }

    pub(super) const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    pub(super) const fn exact(self) -> Self {
        Self { is_exact: true, ..self }
    }

    const fn unique(self) -> Self {
        Self { is_unique: true, ..self }
    }

    const fn always(self) -> Self {
        Self { is_always_returned: true, ..self }
    }

    pub(super) const fn read_only(self) -> Self {
        Self { mutability: Mutability::ReadOnly, ..self }
    }

    const fn immutable(self) -> Self {
        Self { mutability: Mutability::Immutable, ..self }
    }

    pub(super) const fn one_of(self, choice: Choice) -> Self {
        Self { choice, ..self }
    }

    /// The attributes below it.
    #[must_use]
    pub const fn below(&self) -> &'static [Self] {
        match self.kind {
            Kind::Complex(below) => below,
            Kind::Text | Kind::Boolean | Kind::Integer | Kind::Reference(_) => &[],
        }
    }
}

/// A schema.
#[derive(Debug, PartialEq, Eq)]
pub struct Schema {
    /// Its URN.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub description: &'static str,
    /// Its attributes.
    pub attributes: &'static [Attribute],
}

/// A kind of resource.
#[derive(Debug, PartialEq, Eq)]
pub struct ResourceKind {
    /// Its name.
    pub name: &'static str,
    /// Below the base address.
    pub endpoint: &'static str,
    /// What it is.
    pub description: &'static str,
    /// Its schema.
    pub core: &'static Schema,
    /// What is added to it.
    pub extensions: &'static [&'static Schema],
    /// Attributes of the standard's schema that clients send and Doorward does not keep.
    pub ignored: &'static [&'static str],
}

/// Attributes that every resource has.
pub static COMMON: [Attribute; 4] = [
    Attribute::text("schemas", "The schemas of the resource.").many().exact().read_only().always(),
    Attribute::text("id", "The id.").exact().read_only().unique().always(),
    Attribute::text("externalId", "The id that the client has for it.").exact(),
    Attribute::text("meta", "About the resource.").read_only().of(Kind::Complex(&META)),
];

const META: [Attribute; 3] = [
    Attribute::text("resourceType", "The kind of resource.").exact().read_only(),
    Attribute::text("location", "The address.").exact().read_only().of(Kind::Reference(&["uri"])),
    Attribute::text("version", "The version, as an entity tag.").exact().read_only(),
];

const USER_ATTRIBUTES: [Attribute; 5] = [
    Attribute::text("userName", "The name with which the person signs in. Of a new person it is also the person id, where it is spelt like one.")
        .required()
        .unique(),
    Attribute::text("displayName", "The name that is shown and printed.").required(),
    Attribute::text("userType", "The category: it decides how long cards are valid, and which rules hold.")
        .required()
        .exact()
        .one_of(Choice::Categories),
    Attribute::text("active", "Whether the person is here. Not active: left today, or before.").of(Kind::Boolean),
    Attribute::text("groups", "The units to which the person is affiliated.").many().read_only().of(Kind::Complex(&GROUP_REFERENCE)),
];

const GROUP_REFERENCE: [Attribute; 4] = [
    Attribute::text("value", "The unit.").exact().read_only(),
    Attribute::text("$ref", "Its address.").exact().read_only().of(Kind::Reference(&["Group"])),
    Attribute::text("display", "Its name.").read_only(),
    Attribute::text("type", "Always direct.").read_only().one_of(Choice::These(&["direct"])),
];

const MEMBER_REFERENCE: [Attribute; 4] = [
    Attribute::text("value", "The person.").exact().immutable(),
    Attribute::text("$ref", "The person's address.").exact().immutable().of(Kind::Reference(&["User"])),
    Attribute::text("display", "The person's name.").read_only(),
    Attribute::text("type", "Always User.").immutable().one_of(Choice::These(&["User"])),
];

/// People.
pub static USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:User",
    name: "User",
    description: "A person",
    attributes: &USER_ATTRIBUTES,
};

/// What businesses add to people.
pub static ENTERPRISE: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    name: "EnterpriseUser",
    description: "The unit of a person who has one",
    attributes: &[Attribute::text(
        "department",
        "The unit of the only affiliation without a last day. Another one takes its place; a unit's name is understood, too.",
    )
    .exact()
    .one_of(Choice::Units)],
};

/// What Doorward adds to people.
pub static PERSON: Schema = Schema {
    id: "urn:doorward:params:scim:schemas:extension:2.0:Person",
    name: "Person",
    description: "What decides about doors: affiliations in their time, and the days that end something",
    attributes: &[
        Attribute::text("endsOn", "Expected last day, such as graduation or the end of a contract: YYYY-MM-DD.")
            .exact()
            .one_of(Choice::DayInAYear),
        Attribute::text("leftOn", "The first day on which the person has left.").exact().read_only(),
        Attribute::text("affiliations", "Units, each in its time.").many().of(Kind::Complex(&AFFILIATION)),
    ],
};

const AFFILIATION: [Attribute; 3] = [
    Attribute::text("unit", "The unit.").required().exact().one_of(Choice::Units),
    Attribute::text("from", "The first day: YYYY-MM-DD.").exact().one_of(Choice::DayFromToday),
    Attribute::text("until", "The last day: YYYY-MM-DD.").exact().one_of(Choice::DayInAYear),
];

/// Units and their people.
pub static GROUP: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Group",
    name: "Group",
    description: "A unit of the campus, and who is affiliated to it",
    attributes: &[
        Attribute::text("displayName", "The unit's name.").read_only(),
        Attribute::text("members", "Who is affiliated to it today or later.")
            .many()
            .of(Kind::Complex(&MEMBER_REFERENCE)),
    ],
};

/// People as resources.
pub static USERS: ResourceKind = ResourceKind {
    name: "User",
    endpoint: "/Users",
    description: "People",
    core: &USER,
    extensions: &[&ENTERPRISE, &PERSON],
    ignored: &[
        "name",
        "nickName",
        "profileUrl",
        "title",
        "preferredLanguage",
        "locale",
        "timezone",
        "password",
        "emails",
        "phoneNumbers",
        "ims",
        "photos",
        "addresses",
        "entitlements",
        "roles",
        "x509Certificates",
        "employeeNumber",
        "costCenter",
        "organization",
        "division",
        "manager",
    ],
};

/// Units as resources.
pub static GROUPS: ResourceKind = ResourceKind {
    name: "Group",
    endpoint: "/Groups",
    description: "Units and their people",
    core: &GROUP,
    extensions: &[],
    ignored: &[],
};

impl ResourceKind {
    /// An attribute by its name, whatever the case of its letters, and the schema in which it stands beside the core's;
    /// `schema` is what a path says before the name.
    #[must_use]
    pub fn attribute(&self, schema: Option<&str>, name: &str) -> Option<(Option<&'static Schema>, &'static Attribute)> {
        let named = |attributes: &'static [Attribute]| {
            attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
        };
        let in_core =
            || named(self.core.attributes).or_else(|| COMMON.iter().find(|it| it.name.eq_ignore_ascii_case(name)));
        match schema {
            None => in_core().map(|attribute| (None, attribute)),
            Some(schema) if schema.eq_ignore_ascii_case(self.core.id) => in_core().map(|attribute| (None, attribute)),
            Some(schema) => {
                let extension = self.extension(schema)?;
                named(extension.attributes).map(|attribute| (Some(extension), attribute))
            }
        }
    }

    /// An extension by its URN.
    #[must_use]
    pub fn extension(&self, schema: &str) -> Option<&'static Schema> {
        self.extensions.iter().find(|extension| extension.id.eq_ignore_ascii_case(schema)).copied()
    }

    /// Whether clients may send it although Doorward does not keep it.
    #[must_use]
    pub fn ignores(&self, name: &str) -> bool {
        self.ignored.iter().any(|ignored| ignored.eq_ignore_ascii_case(name))
    }
}
