//! The schemas of what describes the service: its abilities, its kinds of resources, and schemas themselves (RFC 7643, section 7).
//!
//! Deliberately the same table as for people: who reads schemas by program finds these, too.

use super::attributes::{Attribute, Choice, Kind, Schema};

const SUPPORTED: [Attribute; 1] =
    [Attribute::text("supported", "Whether it can be done.").of(Kind::Boolean).required().read_only()];

const BULK: [Attribute; 3] = [
    SUPPORTED[0],
    Attribute::text("maxOperations", "How many operations at most.").of(Kind::Integer).required().read_only(),
    Attribute::text("maxPayloadSize", "How many bytes at most.").of(Kind::Integer).required().read_only(),
];

const FILTERING: [Attribute; 2] = [
    SUPPORTED[0],
    Attribute::text("maxResults", "How many resources at most.").of(Kind::Integer).required().read_only(),
];

const SCHEME: [Attribute; 4] = [
    Attribute::text("type", "The kind of authentication.").required().read_only().one_of(Choice::These(&[
        "oauth",
        "oauth2",
        "oauthbearertoken",
        "httpbasic",
        "httpdigest",
    ])),
    Attribute::text("name", "Its name.").required().read_only(),
    Attribute::text("description", "What it is.").required().read_only(),
    Attribute::text("primary", "Whether it is the preferred one.").of(Kind::Boolean).read_only(),
];

static PROVIDER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig",
    name: "ServiceProviderConfig",
    description: "What the service can do",
    attributes: &[
        Attribute::text("patch", "Changes of parts.").of(Kind::Complex(&SUPPORTED)).required().read_only(),
        Attribute::text("bulk", "Many operations at once.").of(Kind::Complex(&BULK)).required().read_only(),
        Attribute::text("filter", "Filters.").of(Kind::Complex(&FILTERING)).required().read_only(),
        Attribute::text("changePassword", "Changes of passwords.").of(Kind::Complex(&SUPPORTED)).required().read_only(),
        Attribute::text("sort", "Sorted lists.").of(Kind::Complex(&SUPPORTED)).required().read_only(),
        Attribute::text("etag", "Versions of resources.").of(Kind::Complex(&SUPPORTED)).required().read_only(),
        Attribute::text("authenticationSchemes", "How clients show who they are.")
            .many()
            .of(Kind::Complex(&SCHEME))
            .required()
            .read_only(),
    ],
};

const EXTENSION: [Attribute; 2] = [
    Attribute::text("schema", "The schema.").of(Kind::Reference(&["uri"])).exact().required().read_only(),
    Attribute::text("required", "Whether every resource has it.").of(Kind::Boolean).required().read_only(),
];

static RESOURCE_TYPE: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:ResourceType",
    name: "ResourceType",
    description: "A kind of resource",
    attributes: &[
        Attribute::text("id", "Its id.").read_only(),
        Attribute::text("name", "Its name.").required().read_only(),
        Attribute::text("description", "What it is.").read_only(),
        Attribute::text("endpoint", "Where its resources are.").of(Kind::Reference(&["uri"])).required().read_only(),
        Attribute::text("schema", "Its schema.").of(Kind::Reference(&["uri"])).exact().required().read_only(),
        Attribute::text("schemaExtensions", "What is added to it.")
            .many()
            .of(Kind::Complex(&EXTENSION))
            .required()
            .read_only(),
    ],
};

macro_rules! described {
    ($below:expr) => {
        [
            Attribute::text("name", "Its name.").exact().required().read_only(),
            Attribute::text("type", "What its value is.").required().read_only().one_of(Choice::These(&[
                "string",
                "complex",
                "boolean",
                "decimal",
                "integer",
                "dateTime",
                "reference",
            ])),
            Attribute::text("multiValued", "Whether it has many values.").of(Kind::Boolean).required().read_only(),
            Attribute::text("description", "What it says.").exact().read_only(),
            Attribute::text("required", "Whether it is always there.").of(Kind::Boolean).read_only(),
            Attribute::text("canonicalValues", "Which values there are.").exact().many().read_only(),
            Attribute::text("caseExact", "Whether the case of letters counts.").of(Kind::Boolean).read_only(),
            Attribute::text("mutability", "Who changes it.").exact().read_only().one_of(Choice::These(&[
                "readOnly",
                "readWrite",
                "immutable",
                "writeOnly",
            ])),
            Attribute::text("returned", "When it is answered.")
                .exact()
                .read_only()
                .one_of(Choice::These(&["always", "never", "default", "request"])),
            Attribute::text("uniqueness", "Whether no two have the same.")
                .exact()
                .read_only()
                .one_of(Choice::These(&["none", "server", "global"])),
            Attribute::text("referenceTypes", "What it refers to.").exact().many().read_only(),
            $below,
        ]
    };
}

/// One level of attributes below attributes is all that the standard has.
static BELOW: [Attribute; 12] = described!(Attribute::text("subAttributes", "None.").many().read_only());

static DESCRIBED: [Attribute; 12] =
    described!(Attribute::text("subAttributes", "Those below it.").many().of(Kind::Complex(&BELOW)).read_only());

static SCHEMA: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Schema",
    name: "Schema",
    description: "A schema",
    attributes: &[
        Attribute::text("id", "Its URN.").exact().required().read_only(),
        Attribute::text("name", "Its name.").exact().read_only(),
        Attribute::text("description", "What it is about.").exact().read_only(),
        Attribute::text("attributes", "Its attributes.").many().of(Kind::Complex(&DESCRIBED)).required().read_only(),
    ],
};

/// The schemas of what describes the service.
pub static OF_DISCOVERY: [&Schema; 3] = [&PROVIDER, &RESOURCE_TYPE, &SCHEMA];
